import { Pencil } from "lucide-react";
import { type ReactNode, useRef, useState } from "react";
import type { Session } from "@/client/types.gen";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { RelativeTime } from "@/components/ui/relative-time";
import { DeviceIcon } from "./device-icon";
import { RenameDevice } from "./rename-device";

interface DeviceRowProps {
  session: Session;
  busy: boolean;
  onSignOut: () => void;
}

export function DeviceRow({ session, busy, onSignOut }: DeviceRowProps) {
  const [renaming, setRenaming] = useState(false);
  const renameButton = useRef<HTMLButtonElement>(null);
  const stopRenaming = () => {
    setRenaming(false);
    requestAnimationFrame(() => renameButton.current?.focus());
  };
  return (
    <li className="flex flex-wrap items-start gap-x-4 gap-y-3 p-4 sm:flex-nowrap sm:items-center sm:px-5">
      <DeviceIcon kind={session.device.kind} />
      <div className="min-w-0 grow basis-[60%] sm:basis-0">
        {renaming ? (
          <RenameDevice session={session} onDone={stopRenaming} />
        ) : (
          <div className="flex flex-wrap items-center gap-x-1.5">
            <p className="truncate font-medium">{session.name}</p>
            <Button
              ref={renameButton}
              variant="quiet"
              size="icon"
              className="size-8 text-muted"
              aria-label={`Rename ${session.name}`}
              onClick={() => setRenaming(true)}
            >
              <Pencil size={15} aria-hidden />
            </Button>
            {session.current ? <Badge tone="brand">This device</Badge> : null}
          </div>
        )}
        <Activity session={session} />
      </div>
      <Button
        variant={session.current ? "secondary" : "danger-quiet"}
        size="small"
        busy={busy}
        className="max-sm:ml-15"
        data-row={session.id}
        aria-label={session.current ? `Sign out ${session.name} (this device)` : `Sign out ${session.name}`}
        onClick={onSignOut}
      >
        Sign out
      </Button>
    </li>
  );
}

function Activity({ session }: { session: Session }) {
  return (
    <p className="flex flex-wrap gap-x-2 text-sm text-muted max-sm:gap-x-4">
      <span>
        {session.current ? (
          "Active now"
        ) : (
          <>
            Active <RelativeTime at={session.last_active_at} />
          </>
        )}
      </span>
      <Detail>
        Signed in <RelativeTime at={session.created_at} />
      </Detail>
      {session.ip ? (
        <Detail>
          <span className="sr-only">IP address </span>
          <span className="break-all">{session.ip}</span>
        </Detail>
      ) : null}
      {session.location ? <Detail>Near {session.location}</Detail> : null}
    </p>
  );
}

function Detail({ children }: { children: ReactNode }) {
  return (
    <>
      <span aria-hidden className="max-sm:hidden">
        ·
      </span>
      <span>{children}</span>
    </>
  );
}
