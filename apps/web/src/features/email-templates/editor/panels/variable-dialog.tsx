import { type FormEvent, useState } from "react";
import type { TemplateVariable } from "@/client/types.gen";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Select } from "@/components/ui/select";
import { ValueField } from "./value-field";
import { read, TYPES, type Type, written } from "./values";

export const MAX_VARIABLES = 50;

const NAME = /^[a-z][a-z0-9_]{0,49}$/;
const MAX_DESCRIPTION = 1000;
/** Words of the language, and names that it gives a meaning. */
const WORDS =
  "and or not in is if elif else endif for endfor true false none loop self super caller varargs kwargs recursive";
const RESERVED = new Set(WORDS.split(" "));

interface VariableDialogProps {
  open: boolean;
  /** The one to edit; without it a new one is made. */
  variable: TemplateVariable | undefined;
  taken: string[];
  reserved: string[];
  onClose(): void;
  onKeep(variable: TemplateVariable): void;
}

/** Declares a variable, or declares it anew. */
export function VariableDialog({ open, variable, onClose, ...rest }: VariableDialogProps) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={variable ? `Edit ${variable.name}` : "Add a variable"}
      description="What whoever sends this mail has to give, and the example that stands for it in previews."
    >
      <VariableForm variable={variable} onClose={onClose} {...rest} />
    </Dialog>
  );
}

function VariableForm({ variable, taken, reserved, onClose, onKeep }: Omit<VariableDialogProps, "open">) {
  const [name, setName] = useState(variable?.name ?? "");
  const [type, setType] = useState<Type>(variable?.type ?? "string");
  const [required, setRequired] = useState(variable?.required ?? true);
  const [example, setExample] = useState(written(variable?.example));
  const [description, setDescription] = useState(variable?.description ?? "");
  const [tried, setTried] = useState(false);

  const wrongName = problemOf(name, taken, reserved);
  const typed = read(type, example);
  const wrongExample = typed && "problem" in typed ? typed.problem : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (wrongName || (typed && "problem" in typed)) return;
    onKeep({ name, type, required, example: typed ? typed.value : null, description: description.trim() });
  };
  return (
    <form onSubmit={submit} noValidate className="grid grid-cols-1 gap-4">
      <Field
        label="Name"
        value={name}
        onChange={(event) => setName(event.target.value)}
        error={tried ? wrongName : undefined}
        hint="Small letters, digits and _, like client_name."
        autoFocus
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        required
      />
      <Select label="Type" value={type} onChange={(event) => setType(event.target.value as Type)}>
        {TYPES.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </Select>
      <label className="flex min-h-6 items-center gap-2 text-sm">
        <input
          type="checkbox"
          checked={required}
          onChange={(event) => setRequired(event.target.checked)}
          className="size-5 accent-brand"
        />
        Required: no mail goes out without it
      </label>
      <ValueField
        label="Example"
        type={type}
        text={example}
        example=""
        problem={tried ? wrongExample : undefined}
        onText={setExample}
      />
      <Field
        label="Description"
        value={description}
        onChange={(event) => setDescription(event.target.value)}
        maxLength={MAX_DESCRIPTION}
      />
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="primary">
          {variable ? "Keep" : "Add"}
        </Button>
      </div>
    </form>
  );
}

function problemOf(name: string, taken: string[], reserved: string[]): string | undefined {
  if (!NAME.test(name))
    return "A name begins with a letter a-z and goes on with a-z, 0-9 and _, 50 characters at most.";
  if (RESERVED.has(name) || reserved.includes(name))
    return `“${name}” has a meaning of its own in templates; choose another name.`;
  if (taken.includes(name)) return `“${name}” is declared already.`;
  return undefined;
}
