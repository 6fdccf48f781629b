import { type FormEvent, useState } from "react";
import type { TemplateVariable } from "@/client/types.gen";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Select } from "@/components/ui/select";
import { ValueField } from "./value-field";
import { formatValue, parseValue, VARIABLE_TYPES, type VariableType } from "./values";

export const MAX_VARIABLES = 50;

/** What the server demands of variables of the type link. */
export const LINK_RULE =
  'A link with a token: use it as the whole value of href="…" in <a>, or on its own in text, and nowhere else.';

const NAME = /^[a-z][a-z0-9_]{0,49}$/;
const MAX_DESCRIPTION = 1000;
/** Keywords of the template language, and names that it defines. */
const KEYWORDS = new Set(
  "and or not in is if elif else endif for endfor true false none loop self super caller varargs kwargs recursive".split(
    " ",
  ),
);

interface VariableDialogProps {
  open: boolean;
  /** The variable to edit; undefined to add one. */
  variable: TemplateVariable | undefined;
  /** The names of the template's other variables. */
  taken: string[];
  /** The names of the global variables. */
  reserved: string[];
  onClose(): void;
  onSave(variable: TemplateVariable): void;
}

/** Adds or edits the declaration of a variable. */
export function VariableDialog({ open, variable, onClose, ...rest }: VariableDialogProps) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={variable ? `Edit ${variable.name}` : "Add a variable"}
      description="Your application passes a value for it when it sends the email. Previews use the example."
    >
      <VariableForm variable={variable} onClose={onClose} {...rest} />
    </Dialog>
  );
}

function VariableForm({ variable, taken, reserved, onClose, onSave }: Omit<VariableDialogProps, "open">) {
  const [name, setName] = useState(variable?.name ?? "");
  const [type, setType] = useState<VariableType>(variable?.type ?? "string");
  const [required, setRequired] = useState(variable?.required ?? true);
  const [example, setExample] = useState(formatValue(variable?.example));
  const [description, setDescription] = useState(variable?.description ?? "");
  const [submitted, setSubmitted] = useState(false);

  const nameError = nameErrorOf(name, taken, reserved);
  const parsed = parseValue(type, example);
  const exampleError = parsed && "error" in parsed ? parsed.error : undefined;
  const handleSubmit = (event: FormEvent) => {
    event.preventDefault();
    setSubmitted(true);
    if (nameError || (parsed && "error" in parsed)) return;
    onSave({
      name,
      type,
      required,
      example: parsed ? parsed.value : null,
      description: description.trim(),
    });
  };
  return (
    <form onSubmit={handleSubmit} noValidate className="grid grid-cols-1 gap-4">
      <Field
        label="Name"
        value={name}
        onChange={(event) => setName(event.target.value)}
        error={submitted ? nameError : undefined}
        hint="Lowercase letters, digits and underscores, such as client_name."
        autoFocus
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        required
      />
      <Select label="Type" value={type} onChange={(event) => setType(event.target.value as VariableType)}>
        {VARIABLE_TYPES.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </Select>
      {type === "link" ? <p className="text-sm text-muted">{LINK_RULE}</p> : null}
      <label className="flex min-h-6 items-center gap-2 text-sm">
        <input
          type="checkbox"
          checked={required}
          onChange={(event) => setRequired(event.target.checked)}
          className="size-5 accent-brand"
        />
        Required: the email is not sent without a value
      </label>
      <ValueField
        label="Example"
        type={type}
        text={example}
        example=""
        error={submitted ? exampleError : undefined}
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
          {variable ? "Update" : "Add"}
        </Button>
      </div>
    </form>
  );
}

function nameErrorOf(name: string, taken: string[], reserved: string[]): string | undefined {
  if (!NAME.test(name))
    return "Start with a lowercase letter and use only lowercase letters, digits and underscores, 50 characters at most.";
  if (KEYWORDS.has(name) || reserved.includes(name))
    return `“${name}” is reserved in templates. Choose another name.`;
  if (taken.includes(name)) return `“${name}” is already declared.`;
  return undefined;
}
