import type { ReactNode, Ref } from "react";

interface PageHeadingProps {
  title: string;
  /** A sentence about the page. */
  children: ReactNode;
  /** The buttons beside it. */
  actions?: ReactNode;
  className?: string;
  /** The heading, which takes the focus when the focused row of a list is gone. */
  ref?: Ref<HTMLHeadingElement>;
}

export function PageHeading({ title, children, actions, className, ref }: PageHeadingProps) {
  return (
    <div className={`flex flex-wrap items-end justify-between gap-4 ${className ?? ""}`}>
      <div className="grid min-w-0 grow basis-64 gap-1.5">
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
