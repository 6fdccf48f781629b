import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { EmailDetail } from "@/client/types.gen";
import { Confirm } from "@/components/confirm";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Outcome } from "@/components/ui/success-message";
import { ApiError, Cancelled, getErrorMessage } from "@/lib/errors";
import { useCancelEmail, useResendEmail } from "./mutations";
import { canCancel, whyNotAgain } from "./status-labels";

interface EmailActionsProps {
  email: EmailDetail;
  onShow: (id: string) => void;
}

/** What one can do with a message: take it back while it waits, send it again when it has come to its end. */
export function EmailActions({ email, onShow }: EmailActionsProps) {
  const [asked, setAsked] = useState<"resend" | "cancel" | null>(null);
  const resend = useResendEmail();
  const cancel = useCancelEmail();
  const why = whyNotAgain(email);
  const error = [resend.error, cancel.error].find((each) => each && !(each instanceof Cancelled));

  const handleConfirm = () => {
    setAsked(null);
    resend.reset();
    cancel.reset();
    (asked === "cancel" ? cancel : resend).mutate(email.id);
  };

  return (
    <div className="grid gap-3">
      {error ? <Refused email={email} error={error} /> : null}
      {cancel.isSuccess ? <Outcome>This message is taken back. It is not sent.</Outcome> : null}
      {resend.isSuccess ? <SentAgain to={email.to} onShow={() => onShow(resend.data.id)} /> : null}
      <div className="flex flex-wrap items-center gap-3">
        {canCancel(email) ? (
          <Button
            variant="danger-quiet"
            size="small"
            busy={cancel.isPending}
            onClick={() => setAsked("cancel")}
          >
            {cancel.isPending ? "Taking back…" : "Cancel this message"}
          </Button>
        ) : null}
        {why === null ? (
          <Button size="small" busy={resend.isPending} onClick={() => setAsked("resend")}>
            {resend.isPending ? "Queueing…" : "Send again"}
          </Button>
        ) : null}
        {why && !canCancel(email) ? (
          <p className="text-sm text-muted">It cannot be sent again. {why}</p>
        ) : null}
      </div>
      <Confirm
        open={asked === "resend"}
        title="Send this message again?"
        description={`${email.to} gets it once more, in the same words and with the same values. This one stays in the log.`}
        action="Send again"
        onConfirm={handleConfirm}
        onClose={() => setAsked(null)}
      />
      <Confirm
        open={asked === "cancel"}
        title="Cancel this message?"
        description={`${email.to} does not get it. It stays in the log, and can be sent again from there.`}
        action="Cancel the message"
        danger
        dismiss="Keep it"
        onConfirm={handleConfirm}
        onClose={() => setAsked(null)}
      />
    </div>
  );
}

function SentAgain({ to, onShow }: { to: string; onShow: () => void }) {
  return (
    <Outcome>
      It is queued again for {to}.{" "}
      <button type="button" className="font-medium underline underline-offset-4" onClick={onShow}>
        Show the new message
      </button>
    </Outcome>
  );
}

function Refused({ email, error }: { email: EmailDetail; error: unknown }) {
  if (error instanceof ApiError && error.code === "recipient_suppressed") {
    return (
      <Alert tone="notice">
        Nothing is sent to {email.to}: the address is on the list of suppressions, or its owner has turned
        such mail off.{" "}
        <Link
          to="/settings/suppressions"
          search={{ q: email.to.toLowerCase() }}
          className="font-medium underline underline-offset-4"
        >
          Look at the suppressions
        </Link>
      </Alert>
    );
  }
  return <Alert tone="danger">{getErrorMessage(error)}</Alert>;
}
