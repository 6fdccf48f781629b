import { useQuery } from "@tanstack/react-query";
import { ChevronRight } from "lucide-react";
import { useState } from "react";
import type { Session } from "@/client/types.gen";
import { Alert } from "@/components/ui/alert";
import { RelativeTime } from "@/components/ui/relative-time";
import { getErrorMessage } from "@/lib/errors";
import { DeviceIcon } from "./device-icon";
import { endedSessions } from "./queries";

const REASONS: Record<NonNullable<Session["end_reason"]>, string> = {
  signed_out: "Signed out there",
  signed_out_elsewhere: "Signed out from another device",
  signed_out_by_admin: "Signed out by an administrator",
  evicted: "Signed out to make room for a newer device",
  password_changed: "Signed out when the password was changed",
  refresh_token_reused: "Signed out because its sign-in was used in two places",
  not_me: "Reported as not you, and signed out",
  idle: "Not used for a long time",
  expired: "Reached the longest lifetime of a sign-in",
};

/** Where one was signed in before, and why that ended. Loaded when it is opened. */
export function EndedSessions() {
  const [open, setOpen] = useState(false);
  return (
    <details className="group" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="inline-flex min-h-9 cursor-pointer list-none items-center gap-1.5 rounded-lg pr-3 text-sm font-medium text-muted hover:text-ink [&::-webkit-details-marker]:hidden">
        <ChevronRight size={16} className="transition-transform group-open:rotate-90" aria-hidden />
        Signed out devices
      </summary>
      {open ? <List /> : null}
    </details>
  );
}

function List() {
  const { data, error } = useQuery(endedSessions());
  if (error && !data) return <Alert tone="danger">{getErrorMessage(error)}</Alert>;
  if (!data) return <p className="py-3 text-sm text-muted">Loading…</p>;
  const ended = data.items.filter((session) => session.status !== "active");
  if (ended.length === 0) return <p className="py-3 text-sm text-muted">None yet.</p>;
  return (
    <ul aria-label="Signed out devices" className="card mt-3 divide-y divide-line">
      {ended.map((session) => (
        <li key={session.id} className="flex items-center gap-4 p-4 sm:px-5">
          <DeviceIcon kind={session.device.kind} />
          <div className="min-w-0 grow">
            <p className="truncate font-medium">{session.name}</p>
            <p className="text-sm text-muted">
              {session.end_reason ? REASONS[session.end_reason] : "Signed out"}
              {session.ended_at ? (
                <>
                  , <RelativeTime at={session.ended_at} />
                </>
              ) : null}
            </p>
          </div>
        </li>
      ))}
    </ul>
  );
}
