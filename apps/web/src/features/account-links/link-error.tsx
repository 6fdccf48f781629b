import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Alert } from "@/components/ui/alert";
import { buttonStyle } from "@/components/ui/button";
import { ApiError } from "@/lib/errors";
import type { LinkPage } from "@/lib/link-tokens";
import { visitor } from "./queries";
import { SendVerification } from "./send-verification";

/** Why a link does not work. Any other error is temporary, and the user can try again. */
export type LinkError = "link_missing" | "link_invalid" | "link_expired" | "link_used" | "link_voided";

const MESSAGES: Record<LinkPage, Record<LinkError, string>> = {
  "/not-me": {
    link_missing: "The link is missing. Open the full link from our email. Nothing was changed.",
    link_invalid:
      "This link is incomplete or invalid. Copy the full link from our email. Nothing was changed.",
    link_expired: "This link has expired. Nothing was changed. Check your devices or set a new password.",
    link_used:
      "This link was already used: every device was signed out, and the old password stopped working.",
    link_voided: "This link no longer works. Check your devices or set a new password.",
  },
  "/reset-password": {
    link_missing: "The link is missing. Open the full link from our email. Your password was not changed.",
    link_invalid:
      "This link is incomplete or invalid. Copy the full link from our email, or request a new one. Your password was not changed.",
    link_expired: "This link has expired. Request a new one. Your password was not changed.",
    link_used:
      "This link was already used. Sign in with the password that you set then, or request a new link.",
    link_voided:
      "This link no longer works, because the password was changed after we sent it. Sign in with the new password, or request a new link.",
  },
  "/verify-email": {
    link_missing:
      "The link is missing. Open the full link from our email. If you already clicked “Confirm email address”, you are done.",
    link_invalid: "This link is incomplete or invalid. Copy the full link from our email.",
    link_expired: "This link has expired. Request a new one.",
    link_used: "This link was already used: your email address is confirmed.",
    link_voided: "This link no longer works. Request a new one.",
  },
};

/** Returns why the link does not work, or null when the error is not about the link. */
export function linkErrorOf(error: unknown): LinkError | null {
  if (!(error instanceof ApiError)) return null;
  const { code } = error;
  if (code === "link_expired" || code === "link_used" || code === "link_voided") return code;
  return code === "link_invalid" || error.fields.token ? "link_invalid" : null;
}

/** Explains why a link does not work, and offers what to do instead. */
export function LinkErrorMessage({ page, error }: { page: LinkPage; error: LinkError }) {
  return (
    <>
      <Alert tone="notice">{MESSAGES[page][error]}</Alert>
      <div className="grid gap-3">
        {page === "/verify-email" ? (
          <NewVerificationLink needed={error !== "link_used"} />
        ) : (
          <>
            <Link to="/forgot-password" className={buttonStyle("primary", "large")}>
              {page === "/not-me" ? "Set a new password" : "Request a new link"}
            </Link>
            <Link
              to={page === "/reset-password" ? "/login" : "/devices"}
              className={buttonStyle("secondary", "large")}
            >
              {page === "/reset-password" ? "Sign in" : "Go to your devices"}
            </Link>
          </>
        )}
      </div>
    </>
  );
}

/** A new link: at once for a user who is signed in, after signing in for everyone else. */
function NewVerificationLink({ needed }: { needed: boolean }) {
  const { data: me } = useQuery(visitor());
  const unverified = me?.user.email_verified_at === null ? me.user.email : null;
  return (
    <>
      {unverified ? (
        <SendVerification email={unverified} variant="primary">
          {(button) => button}
        </SendVerification>
      ) : null}
      <Link to="/devices" className={buttonStyle(unverified ? "secondary" : "primary", "large")}>
        {needed && me === null ? "Sign in to get a new link" : "Go to your devices"}
      </Link>
    </>
  );
}
