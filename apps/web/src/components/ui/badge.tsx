import type { ReactNode } from "react";

const TONES = {
  brand: "bg-brand-soft text-brand",
  danger: "bg-danger-soft text-danger",
  notice: "bg-notice-soft text-notice",
  quiet: "bg-sunken text-muted",
};

export type BadgeTone = keyof typeof TONES;

/** A short label, such as a status. */
export function Badge({ tone, children }: { tone: BadgeTone; children: ReactNode }) {
  return (
    <span
      className={`inline-flex items-center rounded-full px-2 py-0.5 text-xs font-medium whitespace-nowrap ${TONES[tone]}`}
    >
      {children}
    </span>
  );
}
