import type { EditorState } from "../use-editor";
import { AddLanguageDialog } from "./add-language";
import { ConflictDialog } from "./conflict";
import { LeaveDialog } from "./leave";
import { PublishDialog } from "./publish";
import { ResetDialog } from "./reset";
import { SecretsDialog } from "./secrets";
import { SendTestDialog } from "./send-test";
import { VersionsDialog } from "./versions";

export type DialogName = "publish" | "versions" | "test" | "reset" | "language" | "conflict" | "secrets";

/** All dialogs of the editor; `editor.dialog` is the one that is open. */
export function Dialogs({ editor }: { editor: EditorState }) {
  return (
    <>
      <PublishDialog editor={editor} />
      <ConflictDialog editor={editor} />
      <VersionsDialog editor={editor} />
      <SendTestDialog editor={editor} />
      <AddLanguageDialog
        open={editor.dialog === "language"}
        onClose={editor.closeDialog}
        onAdd={editor.showLocale}
      />
      <SecretsDialog editor={editor} />
      <ResetDialog editor={editor} />
      <LeaveDialog draft={editor.draft} onSave={editor.save} />
    </>
  );
}
