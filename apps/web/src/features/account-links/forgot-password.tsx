import { Link } from "@tanstack/react-router";
import { type SubmitEvent, useEffect, useRef } from "react";
import { AuthCard } from "@/components/auth-card";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Outcome } from "@/components/ui/success-message";
import { TEXT_LINK } from "@/components/ui/text-link";
import { ApiError } from "@/lib/errors";
import { useForgotPassword } from "./mutations";
import { sentenceOf } from "./rate-limit-message";

const TOO_MANY = "There were too many requests from your network.";

/** Sends a link to a new password; the answer is the same whoever has an account. */
export function ForgotPassword({ typed }: { typed: string | undefined }) {
  const forgot = useForgotPassword();
  const sentTo = forgot.variables ?? typed;
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
          <Outcome>If there is an account with this address, a mail is on its way.</Outcome>
          <p className="text-sm text-muted">
            It can take a few minutes. Nothing there? Look among the spam, or check the address:{" "}
            <span className="font-medium wrap-anywhere text-ink">{sentTo}</span>
          </p>
          <Button className="min-h-11" onClick={() => forgot.reset()}>
            Send another
          </Button>
        </>
      ) : (
        <AddressForm
          typed={sentTo}
          onSubmit={(email) => forgot.mutate(email)}
          error={forgot.error}
          busy={forgot.isPending}
        />
      )}
    </AuthCard>
  );
}

interface AddressFormProps {
  typed: string | undefined;
  onSubmit: (email: string) => void;
  error: unknown;
  busy: boolean;
}

function AddressForm({ typed, onSubmit, error, busy }: AddressFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const wrong = error instanceof ApiError ? error.fields.email : undefined;

  useEffect(() => {
    if (error) form.current?.querySelector<HTMLElement>("input[name=email]")?.focus();
  }, [error]);

  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!busy) onSubmit(String(new FormData(event.currentTarget).get("email")));
  };

  return (
    <form ref={form} className="grid gap-5" onSubmit={submit}>
      <p className="text-sm text-muted">We send you a link with which you choose a new one.</p>
      {error && !wrong ? <Alert tone="danger">{sentenceOf(error, TOO_MANY)}</Alert> : null}
      <Field
        label="E-mail address"
        name="email"
        type="email"
        autoComplete="username"
        inputMode="email"
        required
        maxLength={254}
        defaultValue={typed}
        error={wrong}
      />
      <Button type="submit" variant="primary" busy={busy} className="min-h-11">
        {busy ? "Sending…" : "Send a link"}
      </Button>
    </form>
  );
}
