import { type SubmitEvent, useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { languageName } from "@/lib/languages";
import { LOCALE } from "../../search-params";

interface AddLanguageProps {
  open: boolean;
  onClose: () => void;
  onAdd: (locale: string) => void;
}

/** Asks which language; its words begin as those of another, and are there once they are saved. */
export function AddLanguage({ open, onClose, onAdd }: AddLanguageProps) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="Add a language"
      description="It is there once you save words in it. Until you publish them, people get another language's."
    >
      <Form onClose={onClose} onAdd={onAdd} />
    </Dialog>
  );
}

function Form({ onClose, onAdd }: Omit<AddLanguageProps, "open">) {
  const [code, setCode] = useState("");
  const [tried, setTried] = useState(false);
  const trimmed = code.trim();
  const valid = LOCALE.test(trimmed);
  const name = valid ? languageName(trimmed) : null;
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    setTried(true);
    if (!valid) return;
    onClose();
    onAdd(trimmed);
  };
  return (
    <form className="grid gap-5" onSubmit={submit} noValidate>
      <Field
        label="Code of the language"
        value={code}
        onChange={(event) => setCode(event.target.value)}
        autoFocus
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={10}
        error={tried && !valid ? "Write it like de, pt-BR or zh-Hans." : undefined}
        hint={name && name !== trimmed ? name : "Like de, pt-BR or zh-Hans"}
      />
      <div className="flex flex-wrap justify-end gap-3">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="primary">
          Add {name ?? "it"}
        </Button>
      </div>
    </form>
  );
}
