import { Link } from "@tanstack/react-router";
import { ChevronDown, Inbox, LayoutTemplate, Mail, Mails, MailX } from "lucide-react";
import { useId, useRef } from "react";

/** How an entry of a menu of the header looks. */
export const ENTRY =
  "flex min-h-10 w-full items-center gap-3 rounded-lg px-3 text-sm font-medium hover:bg-sunken aria-[current=page]:bg-brand-soft aria-[current=page]:text-brand";

const PAGES = [
  { to: "/settings/email-templates", name: "Templates", Icon: LayoutTemplate },
  { to: "/settings/emails", name: "E-mails", Icon: Mails },
  { to: "/settings/suppressions", name: "Suppressions", Icon: MailX },
  { to: "/mailbox", name: "Mailbox", Icon: Inbox },
] as const;
const WIDTH = 224;
const EDGE = 16;

/** Where administrators look after mail: the browser's own popover, below its button. */
export function MailMenu() {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const popover = useRef<HTMLDivElement>(null);
  const place = () => {
    const { left = 0 } = button.current?.getBoundingClientRect() ?? {};
    const furthest = document.documentElement.clientWidth - WIDTH - EDGE;
    popover.current?.style.setProperty("left", `${Math.max(EDGE, Math.min(left, furthest))}px`);
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        popoverTarget={id}
        className="inline-flex min-h-9 items-center gap-2 rounded-lg px-3 text-sm font-medium text-muted hover:bg-sunken hover:text-ink max-sm:px-2 has-[+div_[aria-current=page]]:bg-brand-soft has-[+div_[aria-current=page]]:text-brand"
      >
        <Mail size={18} aria-hidden />
        <span className="max-sm:sr-only">Mail</span>
        <ChevronDown size={16} className="max-sm:hidden" aria-hidden />
      </button>
      <div
        ref={popover}
        id={id}
        popover="auto"
        onBeforeToggle={place}
        className="card absolute inset-auto top-15 w-56 p-2 text-ink shadow-float"
      >
        {PAGES.map(({ to, name, Icon }) => (
          <Link key={to} to={to} onClick={() => popover.current?.hidePopover()} className={ENTRY}>
            <Icon size={18} aria-hidden />
            {name}
          </Link>
        ))}
      </div>
    </>
  );
}
