import { useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import type { Session } from "@/client/types.gen";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { getErrorMessage } from "@/lib/errors";
import { useLogout } from "@/lib/sign-out";
import { DeviceRow } from "./device-row";
import { DevicesSkeleton } from "./devices-skeleton";
import { EndedSessions } from "./ended-sessions";
import { useRevokeSession } from "./mutations";
import { activeSessions } from "./queries";
import { SignOutOthers } from "./sign-out-others";

export function DevicesPage() {
  const heading = useRef<HTMLHeadingElement>(null);
  const { data, error, isPending, refetch, isFetching } = useQuery(activeSessions());
  return (
    <div className="grid grid-cols-1 gap-6">
      <div className="grid gap-1.5">
        <h1
          ref={heading}
          tabIndex={-1}
          className="text-2xl font-semibold tracking-tight outline-none sm:text-3xl"
        >
          Devices
        </h1>
        <p className="max-w-prose text-muted">
          Where you are signed in. If you do not know one of these devices, sign it out and change your
          password.
        </p>
      </div>
      {isPending ? <DevicesSkeleton /> : null}
      {error && !data ? (
        <div className="grid justify-items-start gap-4">
          <Alert tone="danger">Your devices could not be loaded. {getErrorMessage(error)}</Alert>
          <Button variant="primary" busy={isFetching} onClick={() => void refetch()}>
            Try again
          </Button>
        </div>
      ) : null}
      {data ? <Devices sessions={data.items} heading={heading} /> : null}
    </div>
  );
}

interface DevicesProps {
  sessions: Session[];
  heading: React.RefObject<HTMLHeadingElement | null>;
}

function Devices({ sessions, heading }: DevicesProps) {
  const list = useRef<HTMLUListElement>(null);
  const revoke = useRevokeSession();
  const logout = useLogout();
  const others = sessions.filter((session) => !session.current);
  const current = sessions.find((session) => session.current);

  const signOut = (session: Session) => {
    if (session.current) return logout.mutate({});
    // The row goes; whoever works by keyboard goes on at the next one.
    const next = others[others.indexOf(session) + 1] ?? others[others.indexOf(session) - 1];
    const target = next && list.current?.querySelector<HTMLElement>(`[data-sign-out="${next.id}"]`);
    (target ?? heading.current)?.focus();
    revoke.mutate(session);
  };

  return (
    <>
      <ul ref={list} aria-label="Your devices" className="card divide-y divide-line">
        {sessions.map((session) => (
          <DeviceRow
            key={session.id}
            session={session}
            busy={session.current && logout.isPending}
            onSignOut={() => signOut(session)}
          />
        ))}
      </ul>
      {others.length === 0 ? (
        <p className="text-sm text-muted">You are signed in on this device only.</p>
      ) : null}
      {others.length > 0 && current ? (
        <SignOutOthers others={others.length} stays={current.name} onDone={() => heading.current?.focus()} />
      ) : null}
      <EndedSessions />
    </>
  );
}
