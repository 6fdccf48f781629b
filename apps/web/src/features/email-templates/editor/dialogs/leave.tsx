import { useBlocker } from "@tanstack/react-router";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import type { DraftStore } from "../draft/draft-store";

interface LeaveDialogProps {
  draft: DraftStore;
  onSave: () => Promise<boolean>;
}

/** Asks before unsaved changes are left for another page, language or site. */
export function LeaveDialog({ draft, onSave }: LeaveDialogProps) {
  const [saving, setSaving] = useState(false);
  const isDirty = () => draft.snapshot().dirty;
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: ({ current, next }) => isDirty() && leavesEditor(current, next),
    enableBeforeUnload: isDirty,
    withResolver: true,
  });
  const handleSave = async () => {
    setSaving(true);
    const saved = await onSave();
    setSaving(false);
    if (saved) proceed?.();
    else reset?.();
  };
  const handleDiscard = () => {
    draft.discardChanges();
    proceed?.();
  };
  return (
    <Dialog
      open={status === "blocked"}
      onClose={() => reset?.()}
      title="Leave with unsaved changes?"
      description="Your changes since the last save are not in the draft yet."
    >
      <div className="flex flex-wrap justify-end gap-3">
        <Button autoFocus onClick={() => reset?.()}>
          Stay
        </Button>
        <Button variant="danger-quiet" onClick={handleDiscard}>
          Leave without saving
        </Button>
        <Button variant="primary" busy={saving} onClick={() => void handleSave()}>
          {saving ? "Saving…" : "Save and leave"}
        </Button>
      </div>
    </Dialog>
  );
}

interface Location {
  pathname: string;
  search: object;
}

/** Another tab of the editor is not left. The login page is not blocked: without a session nothing can be saved. */
function leavesEditor(current: Location, next: Location): boolean {
  if (next.pathname === "/login") return false;
  return next.pathname !== current.pathname || localeOf(next) !== localeOf(current);
}

function localeOf({ search }: Location): unknown {
  return "locale" in search ? search.locale : undefined;
}
