import { Link } from "@tanstack/react-router";
import { AuthCard } from "@/components/auth-card";
import { Alert } from "@/components/ui/alert";
import { Button, buttonStyle } from "@/components/ui/button";
import { SuccessMessage } from "@/components/ui/success-message";
import { getErrorMessage } from "@/lib/errors";
import { LinkErrorMessage, linkErrorOf } from "./link-error";
import { useVerifyEmail } from "./mutations";

/** The page that the link in a "confirm your email address" email leads to. */
export function VerifyEmail({ token }: { token: string | null }) {
  const verify = useVerifyEmail();
  return (
    <AuthCard title="Confirm your email address" footer={null}>
      {verify.isSuccess ? (
        <>
          <SuccessMessage>Your email address is confirmed.</SuccessMessage>
          <Link to="/devices" className={buttonStyle("primary", "large")}>
            Go to your devices
          </Link>
        </>
      ) : (
        <Confirmation token={token} verify={verify} />
      )}
    </AuthCard>
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
