import type { Disowned } from "@/client/types.gen";
import { forget, keep, kept } from "@/lib/link-tokens";

/** What the answer to "not me" is kept under until the new password is chosen. */
export const REPORT = "/not-me.report";

export function keepReport(report: Disowned): void {
  keep(REPORT, JSON.stringify(report));
}

export function keptReport(): Disowned | null {
  const report = kept(REPORT);
  try {
    return report === null ? null : JSON.parse(report);
  } catch {
    forget(REPORT);
    return null;
  }
}
