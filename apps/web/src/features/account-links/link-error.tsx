import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Alert } from "@/components/ui/alert";
import { buttonStyle } from "@/components/ui/button";
import { ApiError } from "@/lib/errors";
import type { LinkPage } from "@/lib/link-tokens";
import { visitor } from "./queries";
import { SendVerification } from "./send-verification";

/** Why a link does nothing. Anything else that goes wrong passes, and can be tried again. */
export type Trouble = "link_missing" | "link_invalid" | "link_expired" | "link_used";

const SENTENCES: Record<LinkPage, Record<Trouble, string>> = {
  "/not-me": {
    link_missing:
      "This page works with the link from our mail about a sign-in. Open it from there, in full. Nothing was changed.",
    link_invalid:
      "This link is not whole, or not one of ours. Copy all of it from the mail. Nothing was changed.",
    link_expired:
      "This link is too old. Nothing was changed: look at your devices, or choose a new password.",
    link_used:
      "This link was used before: every device was signed out then, and the old password stopped working.",
  },
  "/reset-password": {
    link_missing:
      "To choose a new password, open the link from our mail, in full. Your password is as it was.",
    link_invalid:
      "This link is not whole, or not one of ours. Copy all of it from the mail, or ask for a new one. Your password is as it was.",
    link_expired: "This link is too old. Ask for a new one; your password is as it was.",
    link_used:
      "This link was used before, and works once. Sign in with the password that was chosen then, or ask for a new link.",
  },
  "/verify-email": {
    link_missing:
      "To confirm an address, open the link from our mail, in full. If you have pressed its button already, all is done.",
    link_invalid: "This link is not whole, or not one of ours. Copy all of it from the mail.",
    link_expired: "This link is too old to confirm an address.",
    link_used: "This link was used before: the address is confirmed already.",
  },
};

/** Tells why a link does nothing, or null where an error says nothing about the link. */
export function troubleOf(error: unknown): Trouble | null {
  if (!(error instanceof ApiError)) return null;
  if (error.code === "link_expired" || error.code === "link_used") return error.code;
  return error.code === "link_invalid" || error.fields.token ? "link_invalid" : null;
}

/** Says why a link does nothing, and which ways lead on. */
export function LinkTrouble({ page, trouble }: { page: LinkPage; trouble: Trouble }) {
  return (
    <>
      <Alert tone="notice">{SENTENCES[page][trouble]}</Alert>
      <div className="grid gap-3">
        {page === "/verify-email" ? (
          <NewVerification needed={trouble !== "link_used"} />
        ) : (
          <>
            <Link to="/forgot-password" className={buttonStyle("primary", "normal", "min-h-11")}>
              {page === "/not-me" ? "Choose a new password" : "Ask for a new link"}
            </Link>
            <Link
              to={page === "/reset-password" ? "/login" : "/devices"}
              className={buttonStyle("secondary", "normal", "min-h-11")}
            >
              {page === "/reset-password" ? "Sign in" : "Go to your devices"}
            </Link>
          </>
        )}
      </div>
    </>
  );
}

/** The way to a new link: at once for who is signed in, through the sign-in for everybody else. */
function NewVerification({ needed }: { needed: boolean }) {
  const { data: me } = useQuery(visitor());
  const unconfirmed = me?.user.email_verified_at === null ? me.user.email : null;
  return (
    <>
      {unconfirmed ? (
        <SendVerification email={unconfirmed} variant="primary">
          {(button) => button}
        </SendVerification>
      ) : null}
      <Link
        to="/devices"
        className={buttonStyle(unconfirmed ? "secondary" : "primary", "normal", "min-h-11")}
      >
        {needed && me === null ? "Sign in for a new link" : "Go to your devices"}
      </Link>
    </>
  );
}
