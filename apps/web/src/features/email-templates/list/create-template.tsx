import { useNavigate } from "@tanstack/react-router";
import { type SubmitEvent, useRef, useState } from "react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { ApiError, Canceled, getErrorMessage } from "@/lib/errors";
import { useFocusOnError } from "@/lib/form-focus";
import { LOCALE, TEMPLATE_KEY } from "@/lib/search-params";
import { LOCALE_ERROR, LocaleField } from "../locale-field";
import { useCreateTemplate } from "../mutations";
import { DEFAULT_LOCALE, localeSearch } from "../search-params";
import { SecretsField } from "../secrets-field";
import { starterContent, suggestKey } from "./starter";

const KEY_ERROR =
  "Start with a lowercase letter and use only lowercase letters, digits and dashes, 63 characters at most.";

/** Creates a custom template with starter content and opens it in the editor. */
export function CreateTemplateDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="New template"
      description="The template starts as a draft with example content. It cannot be sent until you publish it."
    >
      <Form onClose={onClose} />
    </Dialog>
  );
}

function Form({ onClose }: { onClose: () => void }) {
  const form = useRef<HTMLFormElement>(null);
  const navigate = useNavigate();
  const create = useCreateTemplate();
  const [name, setName] = useState("");
  const [secrets, setSecrets] = useState(false);
  const [typedKey, setTypedKey] = useState<string | null>(null);
  const [clientErrors, setClientErrors] = useState<Record<string, string> | null>(null);
  const key = typedKey ?? suggestKey(name);
  const serverErrors = serverErrorsOf(create.error);
  const errors = { ...serverErrors, ...clientErrors };
  const hasOtherError =
    create.error && Object.keys(serverErrors).length === 0 && !(create.error instanceof Canceled);

  useFocusOnError(form, create.error ?? clientErrors);

  const handleSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (create.isPending) return;
    const data = new FormData(event.currentTarget);
    const locale = String(data.get("locale")).trim();
    const found: Record<string, string> = {};
    if (!TEMPLATE_KEY.test(key)) found.key = KEY_ERROR;
    if (!LOCALE.test(locale)) found.locale = LOCALE_ERROR;
    const isValid = Object.keys(found).length === 0;
    setClientErrors(isValid ? null : found);
    create.reset();
    if (!isValid) return;
    const body = {
      ...starterContent(name),
      key,
      name: name.trim(),
      description: String(data.get("description")),
      contains_secrets: secrets,
    };
    create.mutate(
      { body, locale },
      {
        onSuccess: () =>
          navigate({
            to: "/settings/email-templates/$key",
            params: { key },
            search: { locale: localeSearch(locale) },
          }),
      },
    );
  };

  return (
    <form ref={form} className="grid gap-4" onSubmit={handleSubmit}>
      {hasOtherError ? <Alert tone="danger">{getErrorMessage(create.error)}</Alert> : null}
      <Field
        label="Name"
        name="name"
        value={name}
        onChange={(event) => setName(event.target.value)}
        autoFocus
        required
        pattern=".*\S.*"
        maxLength={100}
        autoComplete="off"
        placeholder="Order shipped"
        error={errors.name}
      />
      <Field
        label="Key"
        name="key"
        value={key}
        onChange={(event) => setTypedKey(event.target.value)}
        required
        maxLength={63}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        hint="Your application sends the template by this key. It cannot be changed later."
        error={errors.key}
      />
      <Field
        label="Description"
        name="description"
        maxLength={1000}
        autoComplete="off"
        hint="When this email is sent. Optional."
        error={errors.description}
      />
      <LocaleField
        name="locale"
        defaultValue={DEFAULT_LOCALE}
        required
        hint="For example en, de or fr-CA. You can add more languages later."
        error={errors.locale}
      />
      <SecretsField checked={secrets} onChange={setSecrets} />
      <div className="flex flex-wrap justify-end gap-3">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="primary" busy={create.isPending}>
          {create.isPending ? "Creating…" : "Create template"}
        </Button>
      </div>
    </form>
  );
}

/** The server's errors by field. A conflict is an error of the key. */
function serverErrorsOf(error: unknown): Record<string, string> {
  if (!(error instanceof ApiError)) return {};
  if (error.code === "conflict") return { key: "This key is already in use. Choose another one." };
  const fields: Record<string, string> = {};
  for (const name of ["name", "key", "description", "locale"])
    if (error.fields[name]) fields[name] = error.fields[name];
  return fields;
}
