import { onlineManager, useSuspenseQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Bell, ChevronDown, LogOut, MonitorSmartphone, WifiOff } from "lucide-react";
import { type ReactNode, useId, useRef, useSyncExternalStore } from "react";
import { readMeOptions } from "@/client/@tanstack/react-query.gen";
import { Logo } from "@/components/logo";
import { ENTRY, MailMenu } from "@/components/mail-menu";
import { ThemeChoice } from "@/components/theme-choice";
import { useLogout } from "@/lib/sign-out";

/**
 * The frame of every page of a signed-in person: where to go, who one is, and the way out; above the content a notice
 * that is the same on all of them. A page that is marked with `data-wide` has more room, one with `data-full` all there is.
 */
export function Shell({ notice, children }: { notice: ReactNode; children: ReactNode }) {
  const { data: me } = useSuspenseQuery(readMeOptions());
  return (
    <div className="group/shell min-h-dvh">
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:fixed focus:top-3 focus:left-3 focus:z-50 focus:rounded-lg focus:bg-brand focus:px-4 focus:py-2 focus:text-on-brand"
      >
        Skip to content
      </a>
      <header className="border-b border-line bg-surface">
        <div className="mx-auto flex h-16 max-w-4xl items-center group-has-data-wide/shell:max-w-6xl group-has-data-full/shell:max-w-none gap-3 px-4 sm:gap-6 sm:px-6">
          <Logo />
          <nav aria-label="Main" className="flex grow gap-1">
            <Link
              to="/devices"
              className="inline-flex min-h-9 items-center gap-2 rounded-lg px-3 max-sm:px-2 text-sm font-medium text-muted hover:bg-sunken hover:text-ink aria-[current=page]:bg-brand-soft aria-[current=page]:text-brand"
            >
              <MonitorSmartphone size={18} aria-hidden />
              <span className="max-sm:sr-only">Devices</span>
            </Link>
            {me.user.role === "admin" ? <MailMenu /> : null}
          </nav>
          <div className="max-sm:hidden">
            <ThemeChoice />
          </div>
          <Account />
        </div>
      </header>
      <Offline />
      <div className="mx-auto max-w-4xl px-4 group-has-data-wide/shell:max-w-6xl group-has-data-full/shell:max-w-none sm:px-6">
        {notice}
      </div>
      <main
        id="content"
        tabIndex={-1}
        className="mx-auto max-w-4xl px-4 py-8 outline-none group-has-data-wide/shell:max-w-6xl group-has-data-full/shell:max-w-none sm:px-6 sm:py-10"
      >
        {children}
      </main>
    </div>
  );
}

/** Who one is, what one may set, and the way out: the browser's own popover, which closes on Escape and on a press elsewhere. */
function Account() {
  const { data: me } = useSuspenseQuery(readMeOptions());
  const logout = useLogout();
  const id = useId();
  const popover = useRef<HTMLDivElement>(null);
  const close = () => popover.current?.hidePopover();
  return (
    <>
      <button
        type="button"
        popoverTarget={id}
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
      <div
        ref={popover}
        id={id}
        popover="auto"
        className="card absolute inset-auto top-15 right-4 w-72 p-2 text-ink shadow-float sm:right-[max(1.5rem,calc(50vw-26.5rem))] group-has-data-wide/shell:sm:right-[max(1.5rem,calc(50vw-34.5rem))] group-has-data-full/shell:sm:right-6"
      >
        <div className="px-3 py-2 text-sm">
          <p className="text-muted">Signed in as</p>
          <p className="truncate font-medium">{me.user.email}</p>
        </div>
        <div className="px-3 py-2 sm:hidden">
          <ThemeChoice />
        </div>
        <hr className="my-1 border-line" />
        <Link to="/settings/notifications" onClick={close} className={ENTRY}>
          <Bell size={18} aria-hidden />
          Notifications
        </Link>
        <hr className="my-1 border-line" />
        <button type="button" onClick={() => logout.mutate({})} className={ENTRY}>
          <LogOut size={18} aria-hidden />
          Sign out
        </button>
      </div>
    </>
  );
}

function Offline() {
  const online = useSyncExternalStore(onlineManager.subscribe.bind(onlineManager), () =>
    onlineManager.isOnline(),
  );
  return (
    <div role="status">
      {online ? null : (
        <p className="flex items-center justify-center gap-2 bg-notice-soft px-4 py-2 text-sm text-notice">
          <WifiOff size={16} aria-hidden />
          You are offline. This is what was last known.
        </p>
      )}
    </div>
  );
}
