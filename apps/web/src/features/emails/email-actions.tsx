import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { EmailDetail } from "@/client/types.gen";
import { Confirm } from "@/components/confirm";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { SuccessMessage } from "@/components/ui/success-message";
import { ApiError, Canceled, getErrorMessage } from "@/lib/errors";
import { canCancel, whyNotResendable } from "./email-state";
import { useCancelEmail, useResendEmail } from "./mutations";

interface EmailActionsProps {
  email: EmailDetail;
  onShow: (id: string) => void;
}

/** The buttons to cancel an email before it is sent, and to send it again afterwards. */
export function EmailActions({ email, onShow }: EmailActionsProps) {
  const [confirming, setConfirming] = useState<"resend" | "cancel" | null>(null);
  const resend = useResendEmail();
  const cancel = useCancelEmail();
  const whyNot = whyNotResendable(email);
  const error = [resend.error, cancel.error].find((each) => each && !(each instanceof Canceled));

  const handleConfirm = () => {
    setConfirming(null);
    resend.reset();
    cancel.reset();
    (confirming === "cancel" ? cancel : resend).mutate(email.id);
  };

  return (
    <div className="grid gap-3">
      {error ? <ActionError email={email} error={error} /> : null}
      {cancel.isSuccess ? (
        <SuccessMessage>This email was canceled and will not be sent.</SuccessMessage>
      ) : null}
      {resend.isSuccess ? (
        <SuccessMessage>
          This email is queued again for {email.to}.{" "}
          <button
            type="button"
            className="font-medium underline underline-offset-4"
            onClick={() => onShow(resend.data.id)}
          >
            Show the new email
          </button>
        </SuccessMessage>
      ) : null}
      <div className="flex flex-wrap items-center gap-3">
        {canCancel(email) ? (
          <Button
            variant="danger-quiet"
            size="small"
            busy={cancel.isPending}
            onClick={() => setConfirming("cancel")}
          >
            {cancel.isPending ? "Canceling…" : "Cancel this email"}
          </Button>
        ) : null}
        {whyNot === null ? (
          <Button size="small" busy={resend.isPending} onClick={() => setConfirming("resend")}>
            {resend.isPending ? "Queueing…" : "Send this email again"}
          </Button>
        ) : null}
        {whyNot && !canCancel(email) ? (
          <p className="text-sm text-muted">This email cannot be sent again. {whyNot}</p>
        ) : null}
      </div>
      <Confirm
        open={confirming === "resend"}
        title="Send this email again?"
        description={`${email.to} receives it a second time, with the same content. This one stays in the log.`}
        action="Send again"
        onConfirm={handleConfirm}
        onClose={() => setConfirming(null)}
      />
      <Confirm
        open={confirming === "cancel"}
        title="Cancel this email?"
        description={`${email.to} does not receive it. It stays in the log, and can be sent again from there.`}
        action="Cancel email"
        danger
        dismiss="Do not cancel"
        onConfirm={handleConfirm}
        onClose={() => setConfirming(null)}
      />
    </div>
  );
}

function ActionError({ email, error }: { email: EmailDetail; error: unknown }) {
  if (error instanceof ApiError && error.code === "recipient_suppressed") {
    return (
      <Alert tone="notice">
        {email.to} is suppressed, or has turned this notification off.{" "}
        <Link
          to="/settings/suppressions"
          search={{ q: email.to.toLowerCase() }}
          className="font-medium underline underline-offset-4"
        >
          Show suppressions
        </Link>
      </Alert>
    );
  }
  return <Alert tone="danger">{getErrorMessage(error)}</Alert>;
}
