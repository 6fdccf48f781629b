import type { ReactNode, Ref } from "react";

interface PageHeadingProps {
  title: string;
  children: ReactNode;
  /** What one can do, beside it. */
  actions?: ReactNode;
  /** The heading, where the focus goes when what had it is gone. */
  ref?: Ref<HTMLHeadingElement>;
}

/** What a page is, and what for. */
export function PageHeading({ title, children, actions, ref }: PageHeadingProps) {
  return (
    <div className="flex flex-wrap items-end justify-between gap-4">
      <div className="grid gap-1.5">
        <h1
          ref={ref}
          tabIndex={-1}
          className="text-2xl font-semibold tracking-tight outline-none sm:text-3xl"
        >
          {title}
        </h1>
        <p className="max-w-prose text-muted">{children}</p>
      </div>
      {actions ? <div className="flex flex-wrap gap-3">{actions}</div> : null}
    </div>
  );
}
