import { Link } from "@tanstack/react-router";
import { type SubmitEvent, useRef } from "react";
import { AuthCard } from "@/components/auth-card";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { EmailField } from "@/components/ui/field";
import { SuccessMessage } from "@/components/ui/success-message";
import { TEXT_LINK } from "@/components/ui/text-link";
import { ApiError } from "@/lib/errors";
import { useFocusOnError } from "@/lib/form-focus";
import { useForgotPassword } from "./mutations";
import { rateLimitMessage } from "./rate-limit-message";

/** Sends a link to set a new password. The answer is the same whether or not there is an account. */
export function ForgotPassword({ typed }: { typed: string | undefined }) {
  const forgot = useForgotPassword();
  const email = forgot.variables ?? typed;
  return (
    <AuthCard
      title="Forgot your password?"
      footer={
        <Link to="/login" className={TEXT_LINK}>
          Back to sign in
        </Link>
      }
    >
      {forgot.isSuccess ? (
        <>
          <SuccessMessage>If there is an account with this email address, we sent it a link.</SuccessMessage>
          <p className="text-sm text-muted">
            The email can take a few minutes. If it does not arrive, check your spam folder and the email
            address: <span className="font-medium wrap-anywhere text-ink">{email}</span>
          </p>
          <Button size="large" onClick={() => forgot.reset()}>
            Send another link
          </Button>
        </>
      ) : (
        <EmailForm
          typed={email}
          onSubmit={(submitted) => forgot.mutate(submitted)}
          error={forgot.error}
          busy={forgot.isPending}
        />
      )}
    </AuthCard>
  );
}

interface EmailFormProps {
  typed: string | undefined;
  onSubmit: (email: string) => void;
  error: unknown;
  busy: boolean;
}

function EmailForm({ typed, onSubmit, error, busy }: EmailFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const fieldError = error instanceof ApiError ? error.fields.email : undefined;
  useFocusOnError(form, error, "[name=email]");

  const handleSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!busy) onSubmit(String(new FormData(event.currentTarget).get("email")));
  };

  return (
    <form ref={form} className="grid gap-5" onSubmit={handleSubmit}>
      <p className="text-sm text-muted">We send you a link to set a new password.</p>
      {error && !fieldError ? (
        <Alert tone="danger">
          {rateLimitMessage(error, "There were too many requests from your network.")}
        </Alert>
      ) : null}
      <EmailField autoComplete="username" defaultValue={typed} error={fieldError} />
      <Button type="submit" variant="primary" size="large" busy={busy}>
        {busy ? "Sending…" : "Send link"}
      </Button>
    </form>
  );
}
