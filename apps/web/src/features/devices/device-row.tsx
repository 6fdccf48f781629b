import { Pencil } from "lucide-react";
import { useRef, useState } from "react";
import type { Session } from "@/client/types.gen";
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
  const pencil = useRef<HTMLButtonElement>(null);
  const stopRenaming = () => {
    setRenaming(false);
    requestAnimationFrame(() => pencil.current?.focus());
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
              ref={pencil}
              variant="quiet"
              size="icon"
              className="size-8 text-muted"
              aria-label={`Rename ${session.name}`}
              onClick={() => setRenaming(true)}
            >
              <Pencil size={15} aria-hidden />
            </Button>
            {session.current ? (
              <span className="rounded-full bg-brand-soft px-2.5 py-0.5 text-xs font-semibold text-brand">
                This device
              </span>
            ) : null}
          </div>
        )}
        <Facts session={session} />
      </div>
      <Button
        variant={session.current ? "secondary" : "danger-quiet"}
        size="small"
        busy={busy}
        className="max-sm:ml-15"
        data-sign-out={session.id}
        aria-label={session.current ? `Sign out ${session.name} (this device)` : `Sign out ${session.name}`}
        onClick={onSignOut}
      >
        Sign out
      </Button>
    </li>
  );
}

function Facts({ session }: { session: Session }) {
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
      <span aria-hidden className="max-sm:hidden">
        ·
      </span>
      <span>
        Signed in <RelativeTime at={session.created_at} />
      </span>
      {session.ip ? (
        <>
          <span aria-hidden className="max-sm:hidden">
            ·
          </span>
          <span className="break-all">
            <span className="sr-only">Address </span>
            {session.ip}
          </span>
        </>
      ) : null}
      {session.location ? (
        <>
          <span aria-hidden className="max-sm:hidden">
            ·
          </span>
          <span>Near {session.location}</span>
        </>
      ) : null}
    </p>
  );
}
