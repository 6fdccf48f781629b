import type { ReactNode } from "react";
import { Logo } from "@/components/logo";
import { ThemeChoice } from "@/components/theme-choice";

/** The layout of the pages that are open to everyone: a card in the middle. */
export function AuthCard({
  title,
  children,
  footer,
}: {
  title: string;
  children: ReactNode;
  footer: ReactNode;
}) {
  return (
    <div className="grid min-h-dvh grid-rows-[auto_1fr] gap-6 p-4 sm:p-6">
      <header className="flex items-center justify-between">
        <Logo />
        <ThemeChoice />
      </header>
      <main className="mx-auto w-full max-w-sm self-start pt-[6dvh] pb-16">
        <div className="card grid gap-5 p-6 sm:p-8">
          <h1 className="text-2xl font-semibold tracking-tight">{title}</h1>
          {children}
        </div>
        <p className="mt-5 text-center text-sm text-muted">{footer}</p>
      </main>
    </div>
  );
}
