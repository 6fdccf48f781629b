import type { ReportedSession } from "@/client/types.gen";
import { getTabValue, removeTabValue, setTabValue } from "@/lib/tab-storage";

/** The name under which the answer to a "not me" report is stored until the new password is set. */
export const REPORT = "/not-me.report";

export function storeReport(report: ReportedSession): void {
  setTabValue(REPORT, JSON.stringify(report));
}

export function storedReport(): ReportedSession | null {
  const report = getTabValue(REPORT);
  try {
    return report === null ? null : JSON.parse(report);
  } catch {
    removeTabValue(REPORT);
    return null;
  }
}
