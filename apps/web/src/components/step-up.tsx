import { useMutation, useSuspenseQuery } from "@tanstack/react-query";
import { type ReactNode, type SubmitEvent, useCallback, useRef, useState } from "react";
import { readMeOptions, reauthenticateMutation } from "@/client/@tanstack/react-query.gen";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { PasswordField } from "@/components/ui/field";
import { Cancelled, getErrorMessage } from "@/lib/errors";
import { type AskPassword, StepUpContext } from "@/lib/step-up";

interface Waiting {
  resolve: () => void;
  reject: (reason: unknown) => void;
}

/** Gives its children a way to ask for the password once more, in a dialog. */
export function StepUp({ children }: { children: ReactNode }) {
  const [waiting, setWaiting] = useState<Waiting | null>(null);
  const ask: AskPassword = useCallback(
    () => new Promise<void>((resolve, reject) => setWaiting({ resolve, reject })),
    [],
  );
  const close = (settle: (asked: Waiting) => void) => {
    if (waiting) settle(waiting);
    setWaiting(null);
  };
  return (
    <StepUpContext value={ask}>
      {children}
      <Dialog
        open={waiting !== null}
        onClose={() => close((asked) => asked.reject(new Cancelled()))}
        title="Confirm that it is you"
        description="You signed in a while ago. Enter your password to go on."
      >
        <Confirmation
          onDone={() => close((asked) => asked.resolve())}
          onCancel={() => close((asked) => asked.reject(new Cancelled()))}
        />
      </Dialog>
    </StepUpContext>
  );
}

function Confirmation({ onDone, onCancel }: { onDone: () => void; onCancel: () => void }) {
  const { data: me } = useSuspenseQuery(readMeOptions());
  const form = useRef<HTMLFormElement>(null);
  const reauthenticate = useMutation({
    ...reauthenticateMutation(),
    onSuccess: onDone,
    onError: () => form.current?.querySelector<HTMLElement>("input[name=password]")?.focus(),
  });
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const password = String(new FormData(event.currentTarget).get("password"));
    if (!reauthenticate.isPending) reauthenticate.mutate({ body: { password } });
  };
  const { error } = reauthenticate;
  return (
    <form ref={form} className="grid gap-5" onSubmit={submit}>
      <input type="hidden" name="username" autoComplete="username" value={me.user.email} readOnly />
      <PasswordField
        label="Password"
        name="password"
        autoComplete="current-password"
        autoFocus
        required
        maxLength={256}
        error={error ? wrongPassword(error) : undefined}
      />
      <div className="flex flex-wrap justify-end gap-3">
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" variant="primary" busy={reauthenticate.isPending}>
          Confirm
        </Button>
      </div>
    </form>
  );
}

function wrongPassword(error: unknown): string {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : null;
  return code === "invalid_credentials" ? "That is not your password." : getErrorMessage(error);
}
