import { type ReactNode, type SubmitEvent, useRef } from "react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { EmailField, NewPasswordField, PasswordField } from "@/components/ui/field";
import { ApiError, getErrorMessage } from "@/lib/errors";
import { useFocusOnError } from "@/lib/form-focus";

interface CredentialsFormProps {
  onSubmit: (credentials: { email: string; password: string }) => void;
  error: unknown;
  busy: boolean;
  submit: ReactNode;
  /** For a new account, whose password is being chosen. */
  newAccount?: boolean;
  /** What to show below the button, given a function that returns the email address in the form. */
  below?: (typedEmail: () => string) => ReactNode;
}

/** The form to sign in or to create an account. */
export function CredentialsForm({ onSubmit, error, busy, submit, newAccount, below }: CredentialsFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const fields = error instanceof ApiError ? error.fields : {};
  useFocusOnError(form, error, "[name=password]");

  const handleSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    if (!busy) onSubmit({ email: String(data.get("email")), password: String(data.get("password")) });
  };

  return (
    <form ref={form} className="grid gap-5" onSubmit={handleSubmit}>
      {error && !fields.email && !fields.password ? (
        <Alert tone="danger">{getErrorMessage(error)}</Alert>
      ) : null}
      <EmailField autoComplete="username" error={fields.email} />
      {newAccount ? (
        <NewPasswordField label="Password" error={fields.password} />
      ) : (
        <PasswordField label="Password" autoComplete="current-password" error={fields.password} />
      )}
      <Button type="submit" variant="primary" size="large" busy={busy}>
        {submit}
      </Button>
      {below?.(() => String(new FormData(form.current ?? undefined).get("email") ?? ""))}
    </form>
  );
}
