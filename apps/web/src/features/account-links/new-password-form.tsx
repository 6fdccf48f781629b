import { type SubmitEvent, useEffect, useRef } from "react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { PasswordField } from "@/components/ui/field";
import { ApiError, getErrorMessage } from "@/lib/errors";

interface ChoosePasswordProps {
  onSubmit: (password: string) => void;
  error: unknown;
  busy: boolean;
}

/** A new password; what is wrong with it stands beside it, and what else went wrong above it. */
export function ChoosePassword({ onSubmit, error, busy }: ChoosePasswordProps) {
  const form = useRef<HTMLFormElement>(null);
  const wrong = error instanceof ApiError ? error.fields.password : undefined;

  useEffect(() => {
    if (error) form.current?.querySelector<HTMLElement>("input[name=password]")?.focus();
  }, [error]);

  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!busy) onSubmit(String(new FormData(event.currentTarget).get("password")));
  };

  return (
    <form ref={form} className="grid gap-5" onSubmit={submit}>
      {error && !wrong ? <Alert tone="danger">{getErrorMessage(error)}</Alert> : null}
      <PasswordField
        label="New password"
        name="password"
        autoComplete="new-password"
        required
        minLength={8}
        maxLength={256}
        hint="At least 8 characters; a few unrelated words are a good one."
        error={wrong}
      />
      <Button type="submit" variant="primary" busy={busy} className="min-h-11">
        {busy ? "Setting…" : "Set new password"}
      </Button>
    </form>
  );
}
