import { type SubmitEvent, useRef } from "react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { NewPasswordField } from "@/components/ui/field";
import { ApiError, getErrorMessage } from "@/lib/errors";
import { useFocusOnError } from "@/lib/form-focus";

interface NewPasswordFormProps {
  onSubmit: (password: string) => void;
  error: unknown;
  busy: boolean;
}

export function NewPasswordForm({ onSubmit, error, busy }: NewPasswordFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const fieldError = error instanceof ApiError ? error.fields.password : undefined;
  useFocusOnError(form, error, "[name=password]");

  const handleSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!busy) onSubmit(String(new FormData(event.currentTarget).get("password")));
  };

  return (
    <form ref={form} className="grid gap-5" onSubmit={handleSubmit}>
      {error && !fieldError ? <Alert tone="danger">{getErrorMessage(error)}</Alert> : null}
      <NewPasswordField label="New password" error={fieldError} />
      <Button type="submit" variant="primary" size="large" busy={busy}>
        {busy ? "Setting password…" : "Set new password"}
      </Button>
    </form>
  );
}
