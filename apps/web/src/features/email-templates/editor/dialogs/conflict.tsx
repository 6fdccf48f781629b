import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { currentSource } from "../draft/current-source";
import { SourceLabel } from "../draft/source-label";
import type { EditorState } from "../use-editor";
import { Changes } from "./changes";
import { StickyActions } from "./sticky-actions";

/** Asks which content to keep after the template was changed by another save. The other one becomes a local copy. */
export function ConflictDialog({ editor }: { editor: EditorState }) {
  const { template, me, draft, state, dialog, closeDialog } = editor;
  const theirs = currentSource(template);
  const keepMine = () => {
    draft.addCopy("Their changes, replaced by yours", theirs.content);
    draft.rebase(theirs);
    closeDialog();
    void editor.save();
    editor.focusPart();
  };
  const useTheirs = () => {
    draft.addCopy("Your changes, replaced by theirs", state.content);
    draft.replace(theirs.content, theirs);
    closeDialog();
    editor.focusPart();
  };
  const mergeManually = () => {
    draft.addCopy("Their changes, to merge manually", theirs.content);
    draft.rebase(theirs);
    closeDialog();
    editor.showPanel("copies");
  };
  return (
    <Dialog
      open={dialog === "conflict"}
      onClose={closeDialog}
      wide
      title="This template was changed in the meantime"
      description={
        <>
          It now has <SourceLabel source={theirs} me={me.id} />. Your changes are not saved yet. Whichever you
          choose, the other is stored under “Local copies”.
        </>
      }
    >
      <div className="grid grid-cols-1 gap-2">
        <p className="text-sm font-medium">Changes from theirs to yours</p>
        <Changes before={theirs.content} after={state.content} />
      </div>
      <StickyActions>
        <Button onClick={closeDialog}>Decide later</Button>
        <Button onClick={useTheirs}>Use theirs</Button>
        <Button onClick={mergeManually}>Merge manually</Button>
        <Button variant="primary" onClick={keepMine}>
          Use mine
        </Button>
      </StickyActions>
    </Dialog>
  );
}
