import { useNavigate } from "@tanstack/react-router";
import { type SubmitEvent, useEffect, useRef, useState } from "react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { ApiError, Cancelled, getErrorMessage } from "@/lib/errors";
import { LOCALE, TEMPLATE_KEY } from "@/lib/search-params";
import { useCreateTemplate } from "../mutations";
import { starterWords, suggestKey } from "./starter";

const BAD_KEY = "Small letters, digits and dashes, 63 at most; a letter comes first.";
const BAD_LOCALE = "A language like en, de or fr-CA.";

/** Makes a template of one's own, which begins with a few words, and leads into the editor. */
export function CreateTemplate({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="New template"
      description="It begins with a few words to change. Nothing is sent with it before you publish it."
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
  const [typedKey, setTypedKey] = useState<string | null>(null);
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const key = typedKey ?? suggestKey(name);
  const refused = fieldErrors(create.error);
  const errors = { ...refused, ...wrong };

  useEffect(() => {
    if (create.error || wrong.key || wrong.locale)
      form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [create.error, wrong]);

  const handleSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (create.isPending) return;
    const data = new FormData(event.currentTarget);
    const locale = String(data.get("locale")).trim();
    const found: Record<string, string> = {};
    if (!TEMPLATE_KEY.test(key)) found.key = BAD_KEY;
    if (!LOCALE.test(locale)) found.locale = BAD_LOCALE;
    setWrong(found);
    create.reset();
    if (Object.keys(found).length > 0) return;
    const body = {
      ...starterWords(name),
      key,
      name: name.trim(),
      description: String(data.get("description")),
    };
    create.mutate(
      { body, locale },
      {
        onSuccess: () =>
          navigate({
            to: "/settings/email-templates/$key",
            params: { key },
            search: { locale: locale === "en" ? undefined : locale },
          }),
      },
    );
  };

  const told = create.error && Object.keys(refused).length === 0 && !(create.error instanceof Cancelled);
  return (
    <form ref={form} className="grid gap-4" onSubmit={handleSubmit}>
      {told ? <Alert tone="danger">{getErrorMessage(create.error)}</Alert> : null}
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
        hint="What your application calls it by; it stays."
        error={errors.key}
      />
      <Field
        label="Description"
        name="description"
        maxLength={1000}
        autoComplete="off"
        hint="When it is sent, in a sentence. May be left out."
        error={errors.description}
      />
      <Field
        label="Language"
        name="locale"
        defaultValue="en"
        required
        maxLength={8}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        hint="Like en, de or fr-CA. You can add others later."
        error={errors.locale}
      />
      <div className="flex flex-wrap justify-end gap-3">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="primary" busy={create.isPending}>
          {create.isPending ? "Creating…" : "Create template"}
        </Button>
      </div>
    </form>
  );
}

/** What the service says of which field; a key that is taken is the key's. */
function fieldErrors(error: unknown): Record<string, string> {
  if (!(error instanceof ApiError)) return {};
  if (error.code === "conflict") return { key: "There is a template with this key already." };
  const fields: Record<string, string> = {};
  for (const name of ["name", "key", "description", "locale"])
    if (error.fields[name]) fields[name] = error.fields[name];
  return fields;
}
