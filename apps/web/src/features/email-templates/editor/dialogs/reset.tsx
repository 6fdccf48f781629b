import { type SubmitEvent, useState } from "react";
import type { EmailTemplate } from "@/client/types.gen";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Cancelled, getErrorMessage } from "@/lib/errors";
import { languageName } from "@/lib/languages";
import { useDelete } from "../mutations";

interface ResetProps {
  open: boolean;
  template: EmailTemplate;
  onClose: () => void;
  onDone: () => void;
}

/** Takes a built-in template back to its own words, in every language; one of one's own is deleted. */
export function Reset({ open, template, onClose, onDone }: ResetProps) {
  const builtin = template.source === "builtin";
  const languages = new Intl.ListFormat("en").format(template.locales.map(languageName));
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={builtin ? `Reset “${template.name}” to its built-in words?` : `Delete “${template.name}”?`}
      description={
        builtin
          ? `This takes away the draft and your published words in ${languages}, and the sample data; from now on the built-in words are sent. The versions stay and can be restored.`
          : `This takes away the template in ${languages}. Whatever sends “${template.key}” will be refused from now on.`
      }
    >
      <Confirm template={template} builtin={builtin} onClose={onClose} onDone={onDone} />
    </Dialog>
  );
}

function Confirm({ template, builtin, onClose, onDone }: Omit<ResetProps, "open"> & { builtin: boolean }) {
  const remove = useDelete(template, onDone);
  const [typed, setTyped] = useState("");
  const [wrong, setWrong] = useState(false);
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (remove.isPending) return;
    if (!builtin && typed.trim() !== template.key) return setWrong(true);
    remove.mutate();
  };
  return (
    <form className="grid grid-cols-1 gap-5" onSubmit={submit}>
      {builtin ? null : (
        <Field
          label={`Type ${template.key} to confirm`}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          autoFocus
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          error={wrong && typed.trim() !== template.key ? "That is not its key." : undefined}
        />
      )}
      {remove.error && !(remove.error instanceof Cancelled) ? (
        <Alert tone="danger">{getErrorMessage(remove.error)}</Alert>
      ) : null}
      <div className="flex flex-wrap justify-end gap-3">
        <Button autoFocus={builtin} onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" variant="danger" busy={remove.isPending}>
          {builtin ? "Reset it" : "Delete it"}
        </Button>
      </div>
    </form>
  );
}
