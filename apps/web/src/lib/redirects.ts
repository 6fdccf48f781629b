import type { ApiError } from "@/lib/errors";

export interface LoginSearch {
  /** The code of the refusal that led here. */
  reason?: string;
  /** Why the session ended, where it did. */
  end_reason?: string;
  /** Where the person was going. */
  redirect?: string;
}

/** Where to go when a session is over: the login page, told why, and the way back. */
export function loginSearch(error: ApiError, from: string): LoginSearch {
  const told = error.code === null || error.code === "not_authenticated" ? undefined : error.code;
  const redirect =
    from === "/" || from.startsWith("/login") || from.startsWith("/register") ? undefined : from;
  return { reason: told, end_reason: error.reason ?? undefined, redirect };
}

/** Returns a path of ours to go to; anything that could lead elsewhere is the front page. */
export function safeRedirect(target: string | undefined): string {
  if (!target || !/^\/(?![/\\])/.test(target)) return "/";
  const url = new URL(target, window.location.origin);
  return url.origin === window.location.origin ? url.pathname + url.search + url.hash : "/";
}

const BECAUSE: Record<string, string> = {
  signed_out: "You signed out on this device.",
  signed_out_elsewhere: "This device was signed out from another device.",
  signed_out_by_admin: "This device was signed out by an administrator.",
  evicted: "This device was signed out because you signed in on too many others.",
  password_changed: "This device was signed out because your password was changed.",
  refresh_token_reused:
    "This device was signed out because its sign-in was used in two places. If that was not you, change your password.",
  not_me: "This device was signed out because its sign-in was reported.",
  idle: "This device was not used for a long time. Sign in again.",
  expired: "This sign-in has reached its longest lifetime. Sign in again.",
};

const CODES: Record<string, string> = {
  session_revoked: "This device was signed out.",
  session_idle: BECAUSE.idle as string,
  session_expired: BECAUSE.expired as string,
  refresh_token_reused: BECAUSE.refresh_token_reused as string,
  token_invalid: "Your sign-in is no longer valid. Sign in again.",
  token_expired: "Your sign-in has expired. Sign in again.",
};

/** Says why the person has to sign in again, or null where nothing needs saying. */
export function whySignedOut(search: LoginSearch): string | null {
  if (!search.reason) return null;
  return (search.end_reason && BECAUSE[search.end_reason]) || CODES[search.reason] || null;
}
