import { useSuspenseQuery } from "@tanstack/react-query";
import { ChevronDown, Mail } from "lucide-react";
import type { ComponentProps } from "react";
import { readMeOptions } from "@/client/@tanstack/react-query.gen";

/** The button of the mail menu. */
export function MailButton({ current, ...props }: ComponentProps<"button"> & { current?: boolean }) {
  return (
    <button
      type="button"
      {...props}
      data-current={current || undefined}
      className="inline-flex min-h-9 items-center gap-2 rounded-lg px-3 text-sm font-medium text-muted hover:bg-sunken hover:text-ink max-sm:px-2 data-current:bg-brand-soft data-current:text-brand"
    >
      <Mail size={18} aria-hidden />
      <span className="max-sm:sr-only">Mail</span>
      <ChevronDown size={16} className="max-sm:hidden" aria-hidden />
    </button>
  );
}

/** The button of the account menu. */
export function AccountButton(props: ComponentProps<"button">) {
  const { data: me } = useSuspenseQuery(readMeOptions());
  return (
    <button
      type="button"
      {...props}
      aria-label={`Account: ${me.user.email}`}
      className="inline-flex min-h-10 items-center gap-2 rounded-lg border border-line px-2 text-sm hover:bg-sunken"
    >
      <span
        aria-hidden
        className="grid size-7 place-items-center rounded-full bg-brand text-xs font-semibold text-on-brand uppercase"
      >
        {me.user.email.slice(0, 1)}
      </span>
      <ChevronDown size={16} className="text-muted" aria-hidden />
    </button>
  );
}
