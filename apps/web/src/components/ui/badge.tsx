import type { ReactNode } from "react";

const TONES = {
  brand: "bg-brand-soft text-brand",
  danger: "bg-danger-soft text-danger",
  notice: "bg-notice-soft text-notice",
  quiet: "bg-sunken text-muted",
};

/** A state in a word. */
export function Badge({ tone, children }: { tone: keyof typeof TONES; children: ReactNode }) {
  return (
    <span
      className={`inline-flex items-center rounded-full px-2 py-0.5 text-xs font-medium whitespace-nowrap ${TONES[tone]}`}
    >
      {children}
    </span>
  );
}
