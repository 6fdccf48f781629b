import type { ReactNode } from "react";
import { Alert } from "@/components/ui/alert";
import { Button, type ButtonProps } from "@/components/ui/button";
import { SuccessMessage } from "@/components/ui/success-message";
import { useSendVerification } from "./mutations";
import { rateLimitMessage } from "./rate-limit-message";

interface SendVerificationProps {
  email: string;
  variant?: ButtonProps["variant"];
  /** Renders the button in its layout, until a link is sent. */
  children: (button: ReactNode) => ReactNode;
}

/** A button that sends another link to confirm an email address, and its result. */
export function SendVerification({ email, variant, children }: SendVerificationProps) {
  const send = useSendVerification();
  if (send.isSuccess) {
    return (
      <SuccessMessage>
        We sent a new link to <span className="font-medium wrap-anywhere">{email}</span>. If it does not
        arrive within a few minutes, check your spam folder.
      </SuccessMessage>
    );
  }
  return (
    <>
      {send.error ? (
        <Alert tone="danger">{rateLimitMessage(send.error, "We have already sent you several links.")}</Alert>
      ) : null}
      {children(
        <Button variant={variant} size="large" busy={send.isPending} onClick={() => send.mutate()}>
          {send.isPending ? "Sending…" : "Send a new link"}
        </Button>,
      )}
    </>
  );
}
