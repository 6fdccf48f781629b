import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { AuthCard } from "@/components/auth-card";
import { Alert } from "@/components/ui/alert";
import { Button, buttonStyle } from "@/components/ui/button";
import { SuccessMessage } from "@/components/ui/success-message";
import { getErrorMessage } from "@/lib/errors";
import { LinkErrorMessage, linkErrorOf } from "./link-error";
import { useResetPassword, useVerifyEmail } from "./mutations";
import { PasswordChanged } from "./password-changed";
import { SetPassword } from "./set-password";
import { signedOutDevices } from "./signed-out-devices";
import { CONFIRMATION, type LinkAnswer, storedAnswer } from "./stored-answer";

/** The page that the link in a "confirm your email address" email leads to. */
export function VerifyEmail({ token }: { token: string | null }) {
  const [stored] = useState(() => (token === null ? storedAnswer(CONFIRMATION) : null));
  const verify = useVerifyEmail();
  const reset = useResetPassword(CONFIRMATION);
  const answer = verify.data ?? stored;
  return (
    <AuthCard title={answer?.reset_token ? "Set a new password" : "Confirm your email address"} footer={null}>
      {reset.isSuccess ? (
        <PasswordChanged />
      ) : answer ? (
        <Confirmed answer={answer} reset={reset} />
      ) : (
        <Confirmation token={token} verify={verify} />
      )}
    </AuthCard>
  );
}

interface ConfirmedProps {
  answer: LinkAnswer;
  reset: ReturnType<typeof useResetPassword>;
}

/** Unless it was confirmed where it was registered, someone else may know the password. */
function Confirmed({ answer, reset }: ConfirmedProps) {
  if (answer.reset_token === null)
    return (
      <>
        <SuccessMessage>Your email address is confirmed.</SuccessMessage>
        <Link to="/devices" className={buttonStyle("primary", "large")}>
          Go to your devices
        </Link>
      </>
    );
  return (
    <>
      <SuccessMessage>
        Your email address is confirmed.
        {answer.revoked > 0 ? ` ${signedOutDevices(answer.revoked)}` : null}
      </SuccessMessage>
      <SetPassword token={answer.reset_token} reset={reset}>
        Set a password for your account. A password that was chosen earlier no longer works, because someone
        else may have created the account.
      </SetPassword>
    </>
  );
}

interface ConfirmationProps {
  token: string | null;
  verify: ReturnType<typeof useVerifyEmail>;
}

/** Nothing is confirmed before the button is clicked, since mail scanners open links too. */
function Confirmation({ token, verify }: ConfirmationProps) {
  const linkError = token === null ? "link_missing" : linkErrorOf(verify.error);
  if (token === null || linkError)
    return <LinkErrorMessage page="/verify-email" error={linkError ?? "link_missing"} />;
  return (
    <>
      <p className="text-sm">
        Confirm that you received our email. If you did not create an account, close this page.
      </p>
      {verify.error ? <Alert tone="danger">{getErrorMessage(verify.error)}</Alert> : null}
      <Button variant="primary" size="large" busy={verify.isPending} onClick={() => verify.mutate(token)}>
        {verify.isPending ? "Confirming…" : "Confirm email address"}
      </Button>
    </>
  );
}
