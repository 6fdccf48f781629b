import { type SubmitEvent, useRef, useState } from "react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { EmailField } from "@/components/ui/field";
import { SuccessMessage } from "@/components/ui/success-message";
import { ApiError, getErrorMessage } from "@/lib/errors";
import { useFocusOnError } from "@/lib/form-focus";
import { useRequestRegistration } from "./mutations";

/** Registers an email address, which has to be confirmed first. The answer is the same whether or not it has an account. */
export function RegisterByEmail() {
  const request = useRequestRegistration();
  const [email, setEmail] = useState("");
  const form = useRef<HTMLFormElement>(null);
  const { error } = request;
  const fieldError = error instanceof ApiError ? error.fields.email : undefined;
  useFocusOnError(form, error, "[name=email]");

  const handleSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (request.isPending) return;
    const typed = String(new FormData(event.currentTarget).get("email"));
    setEmail(typed);
    request.mutate(typed);
  };

  if (request.isSuccess)
    return (
      <>
        <SuccessMessage>Check your inbox. Our email says how to continue.</SuccessMessage>
        <p className="text-sm text-muted">
          The email can take a few minutes. If it does not arrive, check your spam folder and the email
          address: <span className="font-medium wrap-anywhere text-ink">{email}</span>
        </p>
        <Button size="large" onClick={() => request.reset()}>
          Send another email
        </Button>
      </>
    );
  return (
    <form ref={form} className="grid gap-5" onSubmit={handleSubmit}>
      <p className="text-sm text-muted">
        We send you a link to confirm your email address. Then you choose a password.
      </p>
      {error && !fieldError ? <Alert tone="danger">{getErrorMessage(error)}</Alert> : null}
      <EmailField autoComplete="username" defaultValue={email} error={fieldError} />
      <Button type="submit" variant="primary" size="large" busy={request.isPending}>
        {request.isPending ? "Sending…" : "Continue"}
      </Button>
    </form>
  );
}
