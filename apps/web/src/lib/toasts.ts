import { Toast } from "@base-ui/react/toast";
import { Cancelled, getErrorMessage, isSignedOut } from "@/lib/errors";

/** The toasts; mutation hooks add to them, components never do. */
export const toasts = Toast.createToastManager();

export function toastDone(title: string): void {
  toasts.add({ title, type: "done", timeout: 6000 });
}

export function toastFailed(title: string, error: unknown): void {
  // A session that is over leads to the login page, which says why.
  if (error instanceof Cancelled || isSignedOut(error)) return;
  toasts.add({
    title,
    description: getErrorMessage(error),
    type: "failed",
    priority: "high",
    timeout: 12000,
  });
}
