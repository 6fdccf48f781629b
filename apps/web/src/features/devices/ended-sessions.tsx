import { useQuery } from "@tanstack/react-query";
import { ChevronRight } from "lucide-react";
import { useState } from "react";
import type { Session } from "@/client/types.gen";
import { LoadFailed } from "@/components/load-failed";
import { RelativeTime } from "@/components/ui/relative-time";
import { DeviceIcon } from "./device-icon";
import { endedSessions } from "./queries";

const END_REASONS: Record<NonNullable<Session["end_reason"]>, string> = {
  signed_out: "Signed out on the device itself",
  signed_out_elsewhere: "Signed out from another device",
  signed_out_by_admin: "Signed out by an admin",
  evicted: "Signed out to make room for a newer device",
  password_changed: "Signed out when the password was changed",
  refresh_token_reused: "Signed out because its session was used on two devices",
  not_me: "Signed out because you reported the sign-in",
  idle: "Signed out after a long time without activity",
  expired: "Signed out when the session reached its maximum lifetime",
};

/** The devices that were signed out, and why. Loads when it is opened. */
export function EndedSessions() {
  const [open, setOpen] = useState(false);
  return (
    <details className="group" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="inline-flex min-h-9 cursor-pointer list-none items-center gap-1.5 rounded-lg pr-3 text-sm font-medium text-muted hover:text-ink [&::-webkit-details-marker]:hidden">
        <ChevronRight size={16} className="transition-transform group-open:rotate-90" aria-hidden />
        Signed-out devices
      </summary>
      {open ? <EndedSessionList /> : null}
    </details>
  );
}

function EndedSessionList() {
  const sessions = useQuery(endedSessions());
  if (sessions.error && !sessions.data) return <LoadFailed what="Your signed-out devices" query={sessions} />;
  if (!sessions.data) return <p className="py-3 text-sm text-muted">Loading…</p>;
  const ended = sessions.data.items.filter((session) => session.status !== "active");
  if (ended.length === 0)
    return <p className="py-3 text-sm text-muted">No device has been signed out yet.</p>;
  return (
    <ul aria-label="Signed-out devices" className="card mt-3 divide-y divide-line">
      {ended.map((session) => (
        <li key={session.id} className="flex items-center gap-4 p-4 sm:px-5">
          <DeviceIcon kind={session.device.kind} />
          <div className="min-w-0 grow">
            <p className="truncate font-medium">{session.name}</p>
            <p className="text-sm text-muted">
              {session.end_reason ? END_REASONS[session.end_reason] : "Signed out"}
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
