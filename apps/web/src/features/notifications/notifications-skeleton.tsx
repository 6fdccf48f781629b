/** The shape of the list while it is on its way. */
export function NoticesSkeleton() {
  return (
    <div className="card divide-y divide-line" role="status" aria-label="Loading your notifications">
      {[0, 1, 2].map((row) => (
        <div
          key={row}
          className="flex min-h-18 animate-[pulse-soft_1.6s_ease-in-out_infinite] items-center justify-between gap-4 p-4 sm:px-5"
        >
          <div className="grid gap-2">
            <div className="h-4 w-32 rounded bg-sunken" />
            <div className="h-3.5 w-56 max-w-full rounded bg-sunken" />
          </div>
          <div className="h-6 w-11 rounded-full bg-sunken" />
        </div>
      ))}
    </div>
  );
}
