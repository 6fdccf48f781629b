import type { EmailTemplate } from "@/client/types.gen";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { standing } from "../draft/current-source";
import type { Desk, DeskState } from "../draft/draft-store";
import { FromWhere } from "../draft/source-label";
import { Changes } from "./changes";

interface ConflictProps {
  open: boolean;
  /** As it stands: theirs. */
  template: EmailTemplate;
  desk: Desk;
  state: DeskState;
  me: string;
  onClose: () => void;
  onSave: () => void;
  /** One of the two is in the editor. */
  onChosen: () => void;
  /** The words of the other are beside the editor now. */
  onBeside: () => void;
}

/** Somebody else saved meanwhile: which words stay is for the person to say, and the others are kept aside. */
export function Conflict({
  open,
  template,
  desk,
  state,
  me,
  onClose,
  onSave,
  onChosen,
  onBeside,
}: ConflictProps) {
  const theirs = standing(template);
  const keepMine = () => {
    desk.setAside("Their words, which yours replaced", theirs.copy);
    desk.rebase(theirs);
    onClose();
    onSave();
    onChosen();
  };
  const takeTheirs = () => {
    desk.setAside("Your words, before you took theirs", state.copy);
    desk.put(theirs.copy, theirs);
    onClose();
    onChosen();
  };
  const merge = () => {
    desk.setAside("Their words, to merge by hand", theirs.copy);
    desk.rebase(theirs);
    onClose();
    onBeside();
  };
  return (
    <Dialog
      open={open}
      onClose={onClose}
      wide
      title="Other words were saved meanwhile"
      description={
        <>
          This mail now has <FromWhere origin={theirs.origin} me={me} />. Yours are not saved yet. Whichever
          you choose, the others are kept beside the editor, under “Set aside”.
        </>
      }
    >
      <div className="grid grid-cols-1 gap-2">
        <p className="text-sm font-medium">From theirs to yours</p>
        <Changes before={theirs.copy} after={state.copy} />
      </div>
      <div className="sticky bottom-0 -mx-6 -mb-6 flex flex-wrap justify-end gap-3 border-t border-line bg-surface px-6 py-4">
        <Button onClick={onClose}>Not now</Button>
        <Button onClick={takeTheirs}>Take theirs</Button>
        <Button onClick={merge}>Merge by hand</Button>
        <Button variant="primary" onClick={keepMine}>
          Keep mine
        </Button>
      </div>
    </Dialog>
  );
}
