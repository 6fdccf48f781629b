import { onlineManager, useSuspenseQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { MonitorSmartphone, WifiOff } from "lucide-react";
import { lazy, type ReactNode, useSyncExternalStore } from "react";
import { readMeOptions } from "@/client/@tanstack/react-query.gen";
import { AccountButton, MailButton } from "@/components/header-buttons";
import { HeaderMenu } from "@/components/header-menu";
import { Logo } from "@/components/logo";
import { ThemeChoice } from "@/components/theme-choice";

// The code of the menus is large, and the page can be read without: it loads after the page.
const MailMenu = lazy(() => import("@/components/mail-menu"));
const AccountMenu = lazy(() => import("@/components/account-menu"));

/**
 * The layout of every page of a signed-in user: the header, a banner and the page. A page with `data-wide` is wider, one with
 * `data-full` as wide as the window.
 */
export function Shell({ banner, children }: { banner: ReactNode; children: ReactNode }) {
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
            {me.user.role === "admin" ? <HeaderMenu Button={MailButton} Menu={MailMenu} /> : null}
          </nav>
          <div className="max-sm:hidden">
            <ThemeChoice />
          </div>
          <HeaderMenu Button={AccountButton} Menu={AccountMenu} />
        </div>
      </header>
      <Offline />
      <div className="mx-auto max-w-4xl px-4 group-has-data-wide/shell:max-w-6xl group-has-data-full/shell:max-w-none sm:px-6">
        {banner}
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

function Offline() {
  const online = useSyncExternalStore(onlineManager.subscribe.bind(onlineManager), () =>
    onlineManager.isOnline(),
  );
  return (
    <div role="status">
      {online ? null : (
        <p className="flex items-center justify-center gap-2 bg-notice-soft px-4 py-2 text-sm text-notice">
          <WifiOff size={16} aria-hidden />
          You are offline. This page may be out of date.
        </p>
      )}
    </div>
  );
}
