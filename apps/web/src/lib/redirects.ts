import type { ApiError } from "@/lib/errors";

export interface LoginSearch {
  /** The code of the error that led to the login page. */
  reason?: string;
  /** Why the session ended, when it did. */
  end_reason?: string;
  /** The path to return to. */
  redirect?: string;
}

/** Returns the search of the login page for a request that failed because the session has ended. */
export function loginSearch(error: ApiError, from: string): LoginSearch {
  const reason = error.code === null || error.code === "not_authenticated" ? undefined : error.code;
  const redirect =
    from === "/" || from.startsWith("/login") || from.startsWith("/register") ? undefined : from;
  return { reason, end_reason: error.reason ?? undefined, redirect };
}

const OUR_PATH = /^\/(?![/\\])/;

/** Returns the target if it is a path of this site, otherwise the front page. */
export function safeRedirect(target: string | undefined): string {
  const { origin } = window.location;
  if (!target || !OUR_PATH.test(target) || !URL.canParse(target, origin)) return "/";
  const url = new URL(target, origin);
  // Checked again, now that the dots are resolved: "/.//elsewhere" has become "//elsewhere".
  const path = url.pathname + url.search + url.hash;
  return url.origin === origin && OUR_PATH.test(path) ? path : "/";
}

const END_REASONS = {
  signed_out: "You signed out on this device.",
  signed_out_elsewhere: "This device was signed out from another device.",
  signed_out_by_admin: "This device was signed out by an admin.",
  evicted: "This device was signed out because you signed in on too many other devices.",
  password_changed: "This device was signed out because your password was changed.",
  refresh_token_reused:
    "This device was signed out because its session was used on two devices. If that was not you, change your password.",
  not_me: "This device was signed out because you reported a sign-in that was not yours.",
  idle: "This device was not used for a long time. Sign in again.",
  expired: "This session has reached its maximum lifetime. Sign in again.",
};

const ERROR_CODES = {
  session_revoked: "This device was signed out.",
  session_idle: END_REASONS.idle,
  session_expired: END_REASONS.expired,
  refresh_token_reused: END_REASONS.refresh_token_reused,
  token_invalid: "Your session is no longer valid. Sign in again.",
  token_expired: "Your session has expired. Sign in again.",
};

/** Returns why the user has to sign in again, or null when there is nothing to explain. */
export function signOutMessage(search: LoginSearch): string | null {
  if (!search.reason) return null;
  return messageFor(END_REASONS, search.end_reason) ?? messageFor(ERROR_CODES, search.reason);
}

/** Anyone can put any key into the URL, "constructor" too. */
function messageFor(messages: Readonly<Record<string, string>>, key: string | undefined): string | null {
  return key && Object.hasOwn(messages, key) ? (messages[key] ?? null) : null;
}
