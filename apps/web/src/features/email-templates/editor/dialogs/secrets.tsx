import { type SubmitEvent, useState } from "react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Canceled, getErrorMessage } from "@/lib/errors";
import { useMarkSecrets } from "../../mutations";
import { SecretsField } from "../../secrets-field";
import type { EditorState } from "../use-editor";

/** Says whether the emails of a template contain codes or links that only their recipients may see. */
export function SecretsDialog({ editor }: { editor: EditorState }) {
  const { template, dialog, closeDialog } = editor;
  return (
    <Dialog
      open={dialog === "secrets"}
      onClose={closeDialog}
      title={`Secrets in the emails of “${template.name}”`}
      description="An email can contain a code or a link that grants access, such as a one-time code."
    >
      <Form editor={editor} />
    </Dialog>
  );
}

function Form({ editor: { template, closeDialog } }: { editor: EditorState }) {
  const mark = useMarkSecrets(template);
  const [checked, setChecked] = useState(template.contains_secrets);
  const handleSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!mark.isPending) mark.mutate(checked, { onSuccess: closeDialog });
  };
  return (
    <form className="grid grid-cols-1 gap-5" onSubmit={handleSubmit}>
      <SecretsField checked={checked} onChange={setChecked} />
      {checked && !template.contains_secrets ? (
        <Alert tone="notice">
          This also applies to emails that were sent before: their content is erased and cannot be restored.
        </Alert>
      ) : null}
      {mark.error && !(mark.error instanceof Canceled) ? (
        <Alert tone="danger">{getErrorMessage(mark.error)}</Alert>
      ) : null}
      <div className="flex flex-wrap justify-end gap-3">
        <Button onClick={closeDialog}>Cancel</Button>
        <Button type="submit" variant="primary" busy={mark.isPending}>
          {mark.isPending ? "Saving…" : "Save"}
        </Button>
      </div>
    </form>
  );
}
