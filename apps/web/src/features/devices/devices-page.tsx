import { useQuery } from "@tanstack/react-query";
import { type RefObject, useRef } from "react";
import type { Session } from "@/client/types.gen";
import { ListSkeleton } from "@/components/list-skeleton";
import { LoadFailed } from "@/components/load-failed";
import { PageHeading } from "@/components/page-heading";
import { focusRow, neighbor } from "@/lib/row-focus";
import { useSignOut } from "@/lib/sign-out";
import { DeviceRow } from "./device-row";
import { EndedSessions } from "./ended-sessions";
import { useRevokeSession } from "./mutations";
import { activeSessions } from "./queries";
import { SignOutOthers } from "./sign-out-others";

export function DevicesPage() {
  const heading = useRef<HTMLHeadingElement>(null);
  const sessions = useQuery(activeSessions());
  return (
    <div className="grid grid-cols-1 gap-6">
      <PageHeading ref={heading} title="Devices">
        The devices where you are signed in. If you do not recognize one, sign it out and change your
        password.
      </PageHeading>
      {sessions.isPending ? <ListSkeleton label="Loading your devices" icon /> : null}
      {sessions.error && !sessions.data ? <LoadFailed what="Your devices" query={sessions} /> : null}
      {sessions.data ? <Devices sessions={sessions.data.items} heading={heading} /> : null}
    </div>
  );
}

interface DevicesProps {
  sessions: Session[];
  heading: RefObject<HTMLHeadingElement | null>;
}

function Devices({ sessions, heading }: DevicesProps) {
  const list = useRef<HTMLUListElement>(null);
  const revoke = useRevokeSession();
  const signOut = useSignOut();
  const others = sessions.filter((session) => !session.current);
  const current = sessions.find((session) => session.current);

  const handleSignOut = (session: Session) => {
    if (session.current) return signOut.mutate({});
    const next = neighbor(
      others.map((each) => each.id),
      session.id,
    );
    if (!focusRow(list.current, next)) heading.current?.focus();
    revoke.mutate(session);
  };

  return (
    <>
      <ul ref={list} aria-label="Your devices" className="card divide-y divide-line">
        {sessions.map((session) => (
          <DeviceRow
            key={session.id}
            session={session}
            busy={session.current && signOut.isPending}
            onSignOut={() => handleSignOut(session)}
          />
        ))}
      </ul>
      {others.length === 0 ? (
        <p className="text-sm text-muted">You are signed in on this device only.</p>
      ) : null}
      {others.length > 0 && current ? (
        <SignOutOthers count={others.length} current={current.name} onDone={() => heading.current?.focus()} />
      ) : null}
      <EndedSessions />
    </>
  );
}
