import type { ReactNode, Ref } from "react";

interface TableProps {
  label: string;
  /** The headers; `hidden` ones are for screen readers only. */
  columns: (string | { hidden: string })[];
  /** The rows of another search are being loaded. */
  stale?: boolean;
  ref?: Ref<HTMLTableElement>;
  children: ReactNode;
}

/** A table whose rows become cards on a narrow screen. */
export function Table({ label, columns, stale, ref, children }: TableProps) {
  return (
    <div className={`card overflow-clip transition-opacity ${stale ? "opacity-60" : ""}`}>
      <table ref={ref} aria-busy={stale} className="w-full text-sm max-md:block">
        <caption className="sr-only">{label}</caption>
        <thead className="max-md:sr-only">
          <tr className="border-b border-line text-left text-muted">
            {columns.map((column) => {
              const hidden = typeof column === "object";
              const name = hidden ? column.hidden : column;
              return (
                <th key={name} scope="col" className="px-4 py-2.5 font-medium">
                  <span className={hidden ? "sr-only" : undefined}>{name}</span>
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody className="divide-y divide-line max-md:block">{children}</tbody>
      </table>
    </div>
  );
}

/** A row. A link in it with the classes ROW_LINK can be clicked anywhere in the row. */
export function Row({ children }: { children: ReactNode }) {
  return (
    <tr className="relative max-md:flex max-md:flex-wrap max-md:items-center max-md:gap-x-3 max-md:gap-y-1.5 max-md:p-4 has-[[data-row]:hover]:bg-sunken">
      {children}
    </tr>
  );
}

/** The classes of a link that covers its whole row. */
export const ROW_LINK =
  "font-medium underline-offset-4 -outline-offset-2 after:absolute after:inset-0 hover:underline focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-brand";

/** A cell. On a card, `name` is shown before content that does not explain itself. */
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
