import { clsx } from "clsx";

interface ListSkeletonProps {
  label: string;
  rows?: number;
  /** There is an icon at the start of each row. */
  icon?: boolean;
  /** There is a control at the end of each row. */
  control?: boolean;
  className?: string;
}

/** A placeholder for a list while it loads. */
export function ListSkeleton({ label, rows = 3, icon, control, className }: ListSkeletonProps) {
  return (
    <div className={clsx("card divide-y divide-line", className)} role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, row) => (
        <div
          // biome-ignore lint/suspicious/noArrayIndexKey: all rows are alike.
          key={row}
          className="flex min-h-18 animate-[pulse-soft_1.6s_ease-in-out_infinite] items-center gap-4 p-4 sm:px-5"
        >
          {icon ? <div className="size-11 shrink-0 rounded-lg bg-sunken" /> : null}
          <div className="grid grow gap-2">
            <div className="h-4 w-40 rounded bg-sunken" />
            <div className="h-3.5 w-56 max-w-full rounded bg-sunken" />
          </div>
          {control ? <div className="h-6 w-16 shrink-0 rounded-full bg-sunken" /> : null}
        </div>
      ))}
    </div>
  );
}
