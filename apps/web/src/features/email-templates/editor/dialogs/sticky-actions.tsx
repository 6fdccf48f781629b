import type { ReactNode } from "react";

/** The buttons of a long dialog; they stay visible while its content scrolls. */
export function StickyActions({ children }: { children: ReactNode }) {
  return (
    <div className="sticky bottom-0 -mx-6 -mb-6 flex flex-wrap justify-end gap-3 border-t border-line bg-surface px-6 py-4">
      {children}
    </div>
  );
}
