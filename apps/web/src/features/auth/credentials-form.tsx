import { type ReactNode, type SubmitEvent, useEffect, useRef } from "react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Field, PasswordField } from "@/components/ui/field";
import { ApiError, getErrorMessage } from "@/lib/errors";

interface CredentialsFormProps {
  onSubmit: (credentials: { email: string; password: string }) => void;
  error: unknown;
  busy: boolean;
  submit: ReactNode;
  /** A new password is being chosen, rather than shown. */
  choosing?: boolean;
  /** What stands below the button; it is given a way to read the address that has been typed. */
  below?: (typed: () => string) => ReactNode;
}

/** An address and a password; what is wrong stands beside the field it is about, else above them. */
export function CredentialsForm({ onSubmit, error, busy, submit, choosing, below }: CredentialsFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const fields = error instanceof ApiError ? error.fields : {};
  const beside = Boolean(fields.email || fields.password);

  useEffect(() => {
    if (error) form.current?.querySelector<HTMLElement>("[aria-invalid], input[type=password]")?.focus();
  }, [error]);

  const handleSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    if (!busy) onSubmit({ email: String(data.get("email")), password: String(data.get("password")) });
  };

  return (
    <form ref={form} className="grid gap-5" onSubmit={handleSubmit}>
      {error && !beside ? <Alert tone="danger">{getErrorMessage(error)}</Alert> : null}
      <Field
        label="E-mail address"
        name="email"
        type="email"
        autoComplete="username"
        inputMode="email"
        required
        maxLength={254}
        error={fields.email}
      />
      <PasswordField
        label="Password"
        name="password"
        autoComplete={choosing ? "new-password" : "current-password"}
        required
        minLength={choosing ? 8 : undefined}
        maxLength={256}
        hint={choosing ? "At least 8 characters; a few unrelated words are a good one." : undefined}
        error={fields.password}
      />
      <Button type="submit" variant="primary" busy={busy} className="min-h-11">
        {submit}
      </Button>
      {below?.(() => String(new FormData(form.current ?? undefined).get("email") ?? ""))}
    </form>
  );
}
