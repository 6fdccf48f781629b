import type { ReactNode, Ref } from "react";

interface TableProps {
  label: string;
  /** What the columns are called; one without a visible name begins with a dot: ".Actions". */
  columns: string[];
  /** Another list is on its way. */
  stale?: boolean;
  ref?: Ref<HTMLTableElement>;
  children: ReactNode;
}

/** A table, whose rows become cards where the screen is narrow. */
export function Table({ label, columns, stale, ref, children }: TableProps) {
  return (
    <div className={`card overflow-clip transition-opacity ${stale ? "opacity-60" : ""}`}>
      <table ref={ref} aria-busy={stale} className="w-full text-sm max-md:block">
        <caption className="sr-only">{label}</caption>
        <thead className="max-md:sr-only">
          <tr className="border-b border-line text-left text-muted">
            {columns.map((name) => (
              <th key={name} scope="col" className="px-4 py-2.5 font-medium">
                <span className={name.startsWith(".") ? "sr-only" : undefined}>{name.replace(".", "")}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line max-md:block">{children}</tbody>
      </table>
    </div>
  );
}

/** A row; a link in it with ROW_LINK takes presses anywhere in it. */
export function Row({ children }: { children: ReactNode }) {
  return (
    <tr className="relative max-md:flex max-md:flex-wrap max-md:items-center max-md:gap-x-3 max-md:gap-y-1.5 max-md:p-4 has-[[data-row]:hover]:bg-sunken">
      {children}
    </tr>
  );
}

/** The link of a row, which the whole row is. */
export const ROW_LINK =
  "font-medium underline-offset-4 -outline-offset-2 after:absolute after:inset-0 hover:underline focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-brand";

/** A cell; on a card `name` says what it is, where that does not show by itself. */
export function Cell({
  name,
  className,
  children,
}: {
  name?: string;
  className?: string;
  children: ReactNode;
}) {
  return (
    <td
      className={`px-4 py-3 align-top max-md:min-w-0 max-md:p-0 max-md:first:basis-full ${className ?? ""}`}
    >
      {name ? (
        <span aria-hidden className="mr-1.5 text-muted md:hidden">
          {name}
        </span>
      ) : null}
      {children}
    </td>
  );
}
