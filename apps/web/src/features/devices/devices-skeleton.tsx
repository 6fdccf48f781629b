/** The shape of the list while it is on its way. */
export function DevicesSkeleton() {
  return (
    <div className="card divide-y divide-line" role="status" aria-label="Loading your devices">
      {[0, 1, 2].map((row) => (
        <div
          key={row}
          className="flex min-h-22 animate-[pulse-soft_1.6s_ease-in-out_infinite] items-center gap-4 p-4 sm:px-5"
        >
          <div className="size-11 rounded-lg bg-sunken" />
          <div className="grid gap-2">
            <div className="h-4 w-40 rounded bg-sunken" />
            <div className="h-3.5 w-56 rounded bg-sunken" />
          </div>
        </div>
      ))}
    </div>
  );
}
