import { useBlocker } from "@tanstack/react-router";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import type { Desk } from "../draft/draft-store";

interface LeaveProps {
  desk: Desk;
  onSave: () => Promise<boolean>;
}

/** Asks before unsaved changes are left behind: for another page or language, and for another site. */
export function Leave({ desk, onSave }: LeaveProps) {
  const [saving, setSaving] = useState(false);
  const isDirty = () => desk.snapshot().dirty;
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: ({ current, next }) => isDirty() && leads(current, next),
    enableBeforeUnload: isDirty,
    withResolver: true,
  });
  const save = async () => {
    setSaving(true);
    const saved = await onSave();
    setSaving(false);
    if (saved) proceed?.();
    else reset?.();
  };
  const leave = () => {
    desk.discard();
    proceed?.();
  };
  return (
    <Dialog
      open={status === "blocked"}
      onClose={() => reset?.()}
      title="Leave with unsaved changes?"
      description="What you typed since the last save is not in the draft yet."
    >
      <div className="flex flex-wrap justify-end gap-3">
        <Button autoFocus onClick={() => reset?.()}>
          Stay
        </Button>
        <Button variant="danger-quiet" onClick={leave}>
          Leave without saving
        </Button>
        <Button variant="primary" busy={saving} onClick={() => void save()}>
          {saving ? "Saving…" : "Save and leave"}
        </Button>
      </div>
    </Dialog>
  );
}

interface Place {
  pathname: string;
  search: object;
}

/** Another tab of this page is no leaving. Where a session is over nothing can be saved: what is typed stays here. */
function leads(current: Place, next: Place): boolean {
  if (next.pathname === "/login") return false;
  return next.pathname !== current.pathname || localeIn(next) !== localeIn(current);
}

function localeIn({ search }: Place): unknown {
  return "locale" in search ? search.locale : undefined;
}
