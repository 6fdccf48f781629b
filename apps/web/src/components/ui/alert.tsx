import { CircleAlert, Info } from "lucide-react";
import type { ReactNode } from "react";

/** A message on the page, which is announced. `tone` is danger for a failure and notice for information. */
export function Alert({ tone, children }: { tone: "danger" | "notice"; children: ReactNode }) {
  const Icon = tone === "danger" ? CircleAlert : Info;
  const colors = tone === "danger" ? "bg-danger-soft text-danger" : "bg-notice-soft text-notice";
  return (
    <div role="alert" className={`flex gap-3 rounded-lg px-4 py-3 text-sm ${colors}`}>
      <Icon size={18} className="mt-0.5 shrink-0" aria-hidden />
      <div>{children}</div>
    </div>
  );
}
