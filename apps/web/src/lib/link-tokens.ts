import { redirect } from "@tanstack/react-router";

/** The pages that links in mails lead to; each has its token in the address's fragment. */
export type LinkPage = "/not-me" | "/reset-password" | "/verify-email";

const PREFIX = "gatepost.link.";
const memory = new Map<string, string>();

/**
 * Keeps what a link brought until it is used: in this tab alone, and over a reload, which the address does not survive
 * without its token. A browser that keeps nothing for us has it until the reload.
 */
export function keep(name: string, value: string): void {
  memory.set(name, value);
  try {
    sessionStorage.setItem(PREFIX + name, value);
  } catch {
    // Storage is switched off.
  }
}

export function kept(name: string): string | null {
  try {
    return sessionStorage.getItem(PREFIX + name) ?? memory.get(name) ?? null;
  } catch {
    return memory.get(name) ?? null;
  }
}

export function forget(name: string): void {
  memory.delete(name);
  try {
    sessionStorage.removeItem(PREFIX + name);
  } catch {
    // Nothing was kept there.
  }
}

/**
 * For a route's `beforeLoad`: moves the token of a link from the address, and so from the history and from whoever looks
 * over a shoulder, into the tab's keeping; then returns the one that is kept.
 */
export function takeToken(page: LinkPage, hash: string): { token: string | null } {
  const token = new URLSearchParams(hash).get("token");
  if (token === null) return { token: kept(page) };
  if (token) keep(page, token);
  else forget(page);
  throw redirect({ to: page, replace: true });
}
