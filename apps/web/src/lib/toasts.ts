import { Toast } from "@base-ui/react/toast";
import { Canceled, getErrorMessage, isSignedOut } from "@/lib/errors";

/** The toasts. Hooks of mutations add to them, components do not. */
export const toasts = Toast.createToastManager();

export function toastDone(title: string): void {
  toasts.add({ title, type: "done", timeout: 6000 });
}

export function toastFailed(title: string, error: unknown): void {
  // When the session has ended, the login page opens and says why.
  if (error instanceof Canceled || isSignedOut(error)) return;
  toasts.add({
    title,
    description: getErrorMessage(error),
    type: "failed",
    priority: "high",
    timeout: 12000,
  });
}
