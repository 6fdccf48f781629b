import { useNavigate } from "@tanstack/react-router";
import type { EmailTemplate, User } from "@/client/types.gen";
import { LIST } from "../header";
import type { EditorState } from "../use-editor";
import { AddLanguage } from "./add-language";
import { Conflict } from "./conflict";
import { Leave } from "./leave";
import { Publish } from "./publish";
import { Reset } from "./reset";
import { SendTest } from "./send-test";
import { Versions } from "./versions";

interface DialogsProps {
  template: EmailTemplate;
  me: Pick<User, "id" | "email">;
  editor: EditorState;
  onLocale: (locale: string) => void;
}

/** Every question that the editor asks. */
export function Dialogs({ template, me, editor, onLocale }: DialogsProps) {
  const { dialog, close, save, desk, state } = editor;
  const navigate = useNavigate();
  const handleGone = () => {
    desk.discard();
    void navigate({ to: LIST });
  };
  const handleReset = () => {
    desk.discard();
    close();
  };
  return (
    <>
      <Publish open={dialog === "publish"} template={template} onClose={close} onJump={editor.jump} />
      <Conflict
        open={dialog === "conflict"}
        {...{ template, desk, state }}
        me={me.id}
        onClose={close}
        onSave={() => void save()}
        onChosen={editor.focus}
        onBeside={() => editor.showPanel("aside")}
      />
      <Versions open={dialog === "versions"} {...{ template, desk, state }} me={me.id} onClose={close} />
      <SendTest
        open={dialog === "test"}
        template={template}
        address={me.email}
        samples={editor.samples}
        onClose={close}
      />
      <AddLanguage open={dialog === "language"} onClose={close} onAdd={onLocale} />
      <Reset
        open={dialog === "reset"}
        template={template}
        onClose={close}
        onDone={template.source === "custom" ? handleGone : handleReset}
      />
      <Leave desk={desk} onSave={save} />
    </>
  );
}
