import { type SubmitEvent, useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { languageName } from "@/lib/languages";
import { LOCALE } from "@/lib/search-params";
import { LOCALE_ERROR, LocaleField } from "../../locale-field";

interface AddLanguageProps {
  open: boolean;
  onClose: () => void;
  onAdd: (locale: string) => void;
}

/** Asks for a language and opens it in the editor. It is created by the first save. */
export function AddLanguageDialog({ open, onClose, onAdd }: AddLanguageProps) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="Add a language"
      description="The language is added when you save its first draft. Until you publish it, emails use another language."
    >
      <Form onClose={onClose} onAdd={onAdd} />
    </Dialog>
  );
}

function Form({ onClose, onAdd }: Omit<AddLanguageProps, "open">) {
  const [code, setCode] = useState("");
  const [submitted, setSubmitted] = useState(false);
  const locale = code.trim();
  const valid = LOCALE.test(locale);
  const name = valid ? languageName(locale) : null;
  const handleSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    setSubmitted(true);
    if (!valid) return;
    onClose();
    onAdd(locale);
  };
  return (
    <form className="grid gap-5" onSubmit={handleSubmit} noValidate>
      <LocaleField
        value={code}
        onChange={(event) => setCode(event.target.value)}
        autoFocus
        error={submitted && !valid ? LOCALE_ERROR : undefined}
        hint={name && name !== locale ? name : "For example en, de or fr-CA."}
      />
      <div className="flex flex-wrap justify-end gap-3">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="primary">
          Add {name ?? "language"}
        </Button>
      </div>
    </form>
  );
}
