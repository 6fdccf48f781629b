import { useMutation, useSuspenseQuery } from "@tanstack/react-query";
import { type ReactNode, type SubmitEvent, useCallback, useRef, useState } from "react";
import { readMeOptions, reauthenticateMutation } from "@/client/@tanstack/react-query.gen";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { PasswordField } from "@/components/ui/field";
import { ApiError, Canceled, getErrorMessage } from "@/lib/errors";
import { useFocusOnError } from "@/lib/form-focus";
import { type AskPassword, StepUpContext } from "@/lib/step-up";

interface Question {
  resolve: () => void;
  reject: (reason: unknown) => void;
}

/** Lets `useStepUp` ask for the password again, in a dialog. */
export function StepUp({ children }: { children: ReactNode }) {
  const [question, setQuestion] = useState<Question | null>(null);
  const ask: AskPassword = useCallback(
    () => new Promise<void>((resolve, reject) => setQuestion({ resolve, reject })),
    [],
  );
  const confirm = () => {
    question?.resolve();
    setQuestion(null);
  };
  const cancel = () => {
    question?.reject(new Canceled());
    setQuestion(null);
  };
  return (
    <StepUpContext value={ask}>
      {children}
      <Dialog
        open={question !== null}
        onClose={cancel}
        title="Confirm your password"
        description="You signed in a while ago. Enter your password to continue."
      >
        <PasswordForm onConfirmed={confirm} onCancel={cancel} />
      </Dialog>
    </StepUpContext>
  );
}

function PasswordForm({ onConfirmed, onCancel }: { onConfirmed: () => void; onCancel: () => void }) {
  const { data: me } = useSuspenseQuery(readMeOptions());
  const form = useRef<HTMLFormElement>(null);
  const reauthenticate = useMutation({ ...reauthenticateMutation(), onSuccess: onConfirmed });
  const { error } = reauthenticate;
  useFocusOnError(form, error, "[name=password]");
  const handleSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const password = String(new FormData(event.currentTarget).get("password"));
    if (!reauthenticate.isPending) reauthenticate.mutate({ body: { password } });
  };
  return (
    <form ref={form} className="grid gap-5" onSubmit={handleSubmit}>
      <input type="hidden" name="username" autoComplete="username" value={me.user.email} readOnly />
      <PasswordField
        label="Password"
        autoComplete="current-password"
        autoFocus
        error={error ? messageOf(error) : undefined}
      />
      <div className="flex flex-wrap justify-end gap-3">
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" variant="primary" busy={reauthenticate.isPending}>
          Confirm password
        </Button>
      </div>
    </form>
  );
}

function messageOf(error: unknown): string {
  const wrong = error instanceof ApiError && error.code === "invalid_credentials";
  return wrong ? "Incorrect password. Try again." : getErrorMessage(error);
}
