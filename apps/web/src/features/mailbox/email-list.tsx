import { Link } from "@tanstack/react-router";
import type { Email } from "@/client/types.gen";
import { RelativeTime } from "@/components/ui/relative-time";

export function EmailList({ items }: { items: Email[] }) {
  if (items.length === 0) {
    return (
      <p className="card p-5 text-sm text-muted">
        No email yet. Request a new password or sign in on another device, then reload.
      </p>
    );
  }
  return (
    <ul aria-label="Emails, newest first" className="card divide-y divide-line overflow-clip">
      {items.map((email) => (
        <li key={email.id}>
          <Link
            to="/mailbox"
            search={{ email: email.id }}
            resetScroll={false}
            data-row={email.id}
            className="grid grid-cols-1 gap-0.5 px-4 py-3 -outline-offset-2 hover:bg-sunken aria-[current=page]:bg-brand-soft"
          >
            <span className="flex items-baseline justify-between gap-3">
              <span className="truncate font-medium">
                {email.subject ?? (email.content_hidden ? "Subject hidden" : "(no subject)")}
              </span>
              <span className="shrink-0 text-xs text-muted">
                <RelativeTime at={email.created_at} />
              </span>
            </span>
            <span className="truncate text-sm text-muted">
              <span className="sr-only">To </span>
              {email.to}
            </span>
            <span className="truncate font-mono text-xs text-muted">{email.template}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
