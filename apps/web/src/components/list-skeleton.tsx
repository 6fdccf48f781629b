/** The shape of a list while it is on its way. */
export function ListSkeleton({ label, rows = 6 }: { label: string; rows?: number }) {
  return (
    <div className="card divide-y divide-line" role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, row) => (
        <div
          // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all alike.
          key={row}
          className="flex min-h-16 animate-[pulse-soft_1.6s_ease-in-out_infinite] items-center justify-between gap-4 px-4 py-3"
        >
          <div className="grid gap-2">
            <div className="h-4 w-40 rounded bg-sunken" />
            <div className="h-3.5 w-56 max-w-full rounded bg-sunken" />
          </div>
          <div className="h-5 w-20 rounded-full bg-sunken" />
        </div>
      ))}
    </div>
  );
}
