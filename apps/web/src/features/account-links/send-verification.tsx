import type { ReactNode } from "react";
import { Alert } from "@/components/ui/alert";
import { Button, type ButtonProps } from "@/components/ui/button";
import { Outcome } from "@/components/ui/success-message";
import { useSendVerification } from "./mutations";
import { sentenceOf } from "./rate-limit-message";

interface SendVerificationProps {
  email: string;
  variant?: ButtonProps["variant"];
  /** Puts the button where it belongs. */
  children: (button: ReactNode) => ReactNode;
}

/** Sends the link that confirms an address once more, at a press, and tells what came of it. */
export function SendVerification({ email, variant, children }: SendVerificationProps) {
  const send = useSendVerification();
  if (send.isSuccess) {
    return (
      <Outcome>
        A new link is on its way to <span className="font-medium wrap-anywhere">{email}</span>. Nothing there
        after a few minutes? Look among the spam.
      </Outcome>
    );
  }
  return (
    <>
      {send.error ? (
        <Alert tone="danger">{sentenceOf(send.error, "We have sent you several links already.")}</Alert>
      ) : null}
      {children(
        <Button variant={variant} className="min-h-11" busy={send.isPending} onClick={() => send.mutate()}>
          {send.isPending ? "Sending…" : "Send a new link"}
        </Button>,
      )}
    </>
  );
}
