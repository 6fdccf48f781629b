import { redirect } from "@tanstack/react-router";
import { getTabValue, removeTabValue, setTabValue } from "@/lib/tab-storage";

/** The pages that links in emails lead to. Each link has its token in the URL's fragment. */
export type LinkPage = "/not-me" | "/reset-password" | "/verify-email";

/**
 * For a route's `beforeLoad`: moves a link's token from the URL into the tab's storage, so that it is neither visible nor in
 * the history. Returns the stored token.
 */
export function takeToken(page: LinkPage, hash: string): { token: string | null } {
  const token = new URLSearchParams(hash).get("token");
  if (token === null) return { token: getTabValue(page) };
  if (token) setTabValue(page, token);
  else removeTabValue(page);
  throw redirect({ to: page, replace: true });
}
