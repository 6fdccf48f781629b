import { CircleCheck } from "lucide-react";
import type { ReactNode } from "react";

const focus = (element: HTMLElement | null) => element?.focus();

/** Replaces a form or a button after its action succeeded. It takes the focus, so that screen readers read it. */
export function SuccessMessage({ children }: { children: ReactNode }) {
  return (
    <div
      ref={focus}
      tabIndex={-1}
      role="status"
      className="flex gap-3 rounded-lg bg-brand-soft px-4 py-3 text-sm text-brand outline-none"
    >
      <CircleCheck size={18} className="mt-0.5 shrink-0" aria-hidden />
      <div>{children}</div>
    </div>
  );
}
