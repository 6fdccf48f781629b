import { Link } from "@tanstack/react-router";
import { AuthCard } from "@/components/auth-card";
import { Alert } from "@/components/ui/alert";
import { Button, buttonStyle } from "@/components/ui/button";
import { Outcome } from "@/components/ui/success-message";
import { getErrorMessage } from "@/lib/errors";
import { LinkTrouble, troubleOf } from "./link-error";
import { useVerifyEmail } from "./mutations";

/** Where the link of the mail "confirm your address" leads. */
export function VerifyEmail({ token }: { token: string | null }) {
  const verify = useVerifyEmail();
  return (
    <AuthCard title="Your e-mail address" footer={null}>
      {verify.isSuccess ? (
        <>
          <Outcome>Thank you: this address is confirmed.</Outcome>
          <Link to="/devices" className={buttonStyle("primary", "normal", "min-h-11")}>
            Go to your devices
          </Link>
        </>
      ) : (
        <Ask token={token} verify={verify} />
      )}
    </AuthCard>
  );
}

function Ask({ token, verify }: { token: string | null; verify: ReturnType<typeof useVerifyEmail> }) {
  const trouble = token === null ? "link_missing" : troubleOf(verify.error);
  if (token === null || trouble)
    return <LinkTrouble page="/verify-email" trouble={trouble ?? "link_missing"} />;
  return (
    <>
      <p className="text-sm">
        One press confirms that our mail reaches you at the address it was sent to. If you have no account
        with us, close this page.
      </p>
      {verify.error ? <Alert tone="danger">{getErrorMessage(verify.error)}</Alert> : null}
      <Button
        variant="primary"
        className="min-h-11"
        busy={verify.isPending}
        onClick={() => verify.mutate(token)}
      >
        {verify.isPending ? "Confirming…" : "Confirm this address"}
      </Button>
    </>
  );
}
