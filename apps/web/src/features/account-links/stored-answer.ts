import { getTabValue, removeTabValue, setTabValue } from "@/lib/tab-storage";

/** What a link did, which its page shows after a reload, too, until the new password is set. */
export interface LinkAnswer {
  revoked: number;
  reset_token: string | null;
}

/** The names under which the answers of the two pages are stored. */
export const REPORT = "/not-me.report";
export const CONFIRMATION = "/verify-email.confirmation";

/** Stores an answer in the tab, so that a reload does not lose the token for the new password. */
export function storeAnswer(name: string, answer: LinkAnswer): void {
  setTabValue(name, JSON.stringify(answer));
}

export function storedAnswer(name: string): LinkAnswer | null {
  const answer = getTabValue(name);
  try {
    return answer === null ? null : JSON.parse(answer);
  } catch {
    removeTabValue(name);
    return null;
  }
}
