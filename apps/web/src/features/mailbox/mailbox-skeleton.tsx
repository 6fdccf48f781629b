/** The shape of the list while it is on its way. */
export function MailboxSkeleton() {
  return (
    <div className="card divide-y divide-line md:max-w-80" role="status" aria-label="Loading the mailbox">
      {[0, 1, 2, 3].map((row) => (
        <div
          key={row}
          className="grid min-h-20 animate-[pulse-soft_1.6s_ease-in-out_infinite] content-center gap-2 px-4 py-3"
        >
          <div className="h-4 w-44 rounded bg-sunken" />
          <div className="h-3.5 w-32 rounded bg-sunken" />
        </div>
      ))}
    </div>
  );
}
