import { useNavigate } from "@tanstack/react-router";
import { type SubmitEvent, useState } from "react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Canceled, getErrorMessage } from "@/lib/errors";
import { languageName } from "@/lib/languages";
import { useDeleteTemplate } from "../../mutations";
import type { EditorState } from "../use-editor";

/** Resets a built-in template in every language, or deletes a custom one. */
export function ResetDialog({ editor }: { editor: EditorState }) {
  const { template, dialog, closeDialog } = editor;
  const builtin = template.source === "builtin";
  const languages = new Intl.ListFormat("en").format(template.locales.map(languageName));
  return (
    <Dialog
      open={dialog === "reset"}
      onClose={closeDialog}
      title={builtin ? `Reset “${template.name}” to the built-in template?` : `Delete “${template.name}”?`}
      description={
        builtin
          ? `This removes the draft, the published content in ${languages} and the sample data. Emails use the built-in template again. Published versions can still be restored.`
          : `This deletes the template in ${languages}. Your application can no longer send “${template.key}”.`
      }
    >
      <Form editor={editor} />
    </Dialog>
  );
}

function Form({ editor }: { editor: EditorState }) {
  const { template, draft, closeDialog } = editor;
  const builtin = template.source === "builtin";
  const navigate = useNavigate();
  const remove = useDeleteTemplate({
    onDeleted: () => {
      draft.discardChanges();
      if (builtin) closeDialog();
      else void navigate({ to: "/settings/email-templates" });
    },
  });
  const [typed, setTyped] = useState("");
  const [submitted, setSubmitted] = useState(false);
  const confirmed = builtin || typed.trim() === template.key;
  const handleSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    setSubmitted(true);
    if (confirmed && !remove.isPending) remove.mutate(template);
  };
  return (
    <form className="grid grid-cols-1 gap-5" onSubmit={handleSubmit}>
      {builtin ? null : (
        <Field
          label={`Type ${template.key} to confirm`}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          autoFocus
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          error={submitted && !confirmed ? "This does not match the key." : undefined}
        />
      )}
      {remove.error && !(remove.error instanceof Canceled) ? (
        <Alert tone="danger">{getErrorMessage(remove.error)}</Alert>
      ) : null}
      <div className="flex flex-wrap justify-end gap-3">
        <Button autoFocus={builtin} onClick={closeDialog}>
          Cancel
        </Button>
        <Button type="submit" variant="danger" busy={remove.isPending}>
          {builtin ? "Reset template" : "Delete template"}
        </Button>
      </div>
    </form>
  );
}
