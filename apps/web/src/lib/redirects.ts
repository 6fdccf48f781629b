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

const OUR_PATH = /^\/(?![/\\])/;

/** Returns a path of ours to go to; anything that could lead elsewhere is the front page. */
export function safeRedirect(target: string | undefined): string {
  const { origin } = window.location;
  if (!target || !OUR_PATH.test(target) || !URL.canParse(target, origin)) return "/";
  const url = new URL(target, origin);
  // Only now the dots are worked out: "/.//elsewhere" has become "//elsewhere".
  const path = url.pathname + url.search + url.hash;
  return url.origin === origin && OUR_PATH.test(path) ? path : "/";
}

const BECAUSE = {
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

const CODES = {
  session_revoked: "This device was signed out.",
  session_idle: BECAUSE.idle,
  session_expired: BECAUSE.expired,
  refresh_token_reused: BECAUSE.refresh_token_reused,
  token_invalid: "Your sign-in is no longer valid. Sign in again.",
  token_expired: "Your sign-in has expired. Sign in again.",
};

/** Says why the person has to sign in again, or null where nothing needs saying. */
export function whySignedOut(search: LoginSearch): string | null {
  if (!search.reason) return null;
  return sentence(BECAUSE, search.end_reason) ?? sentence(CODES, search.reason);
}

/** Anyone can write anything into the address, "constructor" too. */
function sentence(sentences: Readonly<Record<string, string>>, word: string | undefined): string | null {
  return word && Object.hasOwn(sentences, word) ? (sentences[word] ?? null) : null;
}
