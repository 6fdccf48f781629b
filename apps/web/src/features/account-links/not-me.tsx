import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { ReportedSession } from "@/client/types.gen";
import { AuthCard } from "@/components/auth-card";
import { Alert } from "@/components/ui/alert";
import { Button, buttonStyle } from "@/components/ui/button";
import { SuccessMessage } from "@/components/ui/success-message";
import { TEXT_LINK } from "@/components/ui/text-link";
import { getErrorMessage } from "@/lib/errors";
import { LinkErrorMessage, linkErrorOf } from "./link-error";
import { useReportSession, useResetPassword } from "./mutations";
import { PasswordChanged } from "./password-changed";
import { SetPassword } from "./set-password";
import { signedOutDevices } from "./signed-out-devices";
import { REPORT, storedAnswer } from "./stored-answer";

/** The page that the link "This wasn't me" in an email about a sign-in leads to. */
export function NotMe({ token }: { token: string | null }) {
  const [stored] = useState(() => (token === null ? storedAnswer(REPORT) : null));
  const report = useReportSession();
  const reset = useResetPassword(REPORT);
  const answer = report.data ?? stored;
  return (
    <AuthCard
      title="This wasn't you?"
      footer={
        answer ? null : (
          <>
            To sign out a single device,{" "}
            <Link to="/devices" className={TEXT_LINK}>
              go to your devices
            </Link>
            .
          </>
        )
      }
    >
      {reset.isSuccess ? (
        <PasswordChanged />
      ) : answer ? (
        <NewPassword report={answer} reset={reset} />
      ) : (
        <Confirmation token={token} report={report} />
      )}
    </AuthCard>
  );
}

interface ConfirmationProps {
  token: string | null;
  report: ReturnType<typeof useReportSession>;
}

/** Nobody is signed out before the button is clicked, since mail scanners open links too. */
function Confirmation({ token, report }: ConfirmationProps) {
  const linkError = token === null ? "link_missing" : linkErrorOf(report.error);
  if (token === null || linkError)
    return <LinkErrorMessage page="/not-me" error={linkError ?? "link_missing"} />;
  return (
    <>
      <div className="grid gap-2 text-sm">
        <p>If you did not sign in on the device in our email, sign out every device:</p>
        <ul className="grid list-disc gap-1 pl-5">
          <li>That device and all others are signed out, including this one.</li>
          <li>Your current password stops working.</li>
          <li>Then you set a new password.</li>
        </ul>
      </div>
      {report.error ? <Alert tone="danger">{getErrorMessage(report.error)}</Alert> : null}
      <Button variant="danger" size="large" busy={report.isPending} onClick={() => report.mutate(token)}>
        {report.isPending ? "Signing out…" : "Sign out every device"}
      </Button>
      {/* After an attempt that may not be true. */}
      {report.isIdle ? (
        <p className="text-sm text-muted">If it was you, close this page. Nothing was changed.</p>
      ) : null}
    </>
  );
}

interface NewPasswordProps {
  report: ReportedSession;
  reset: ReturnType<typeof useResetPassword>;
}

function NewPassword({ report, reset }: NewPasswordProps) {
  return (
    <>
      <SuccessMessage>{signedOutDevices(report.revoked)}</SuccessMessage>
      {report.reset_token ? (
        <SetPassword token={report.reset_token} reset={reset}>
          Your old password no longer works. Set a new one that you use nowhere else.
        </SetPassword>
      ) : (
        <>
          <p className="text-sm">
            This link is too old to set a new password with, or the password was changed after we sent it. If
            you can no longer sign in, request a link to set a new one.
          </p>
          <Link to="/forgot-password" className={buttonStyle("primary", "large")}>
            Set a new password
          </Link>
          <Link to="/login" className={buttonStyle("secondary", "large")}>
            Sign in
          </Link>
        </>
      )}
    </>
  );
}
