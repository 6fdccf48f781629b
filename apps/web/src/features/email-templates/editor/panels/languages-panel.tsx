import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { EmailTemplate } from "@/client/types.gen";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Select } from "@/components/ui/select";
import { getErrorMessage } from "@/lib/errors";
import { languageName } from "@/lib/languages";
import { template as templateIn } from "../../queries";
import { DEFAULT_LOCALE } from "../../search-params";
import type { Part } from "../draft/content";
import { standing } from "../draft/current-source";
import type { Desk } from "../draft/draft-store";
import { OtherWords } from "./part-text";

interface LanguagesProps {
  template: EmailTemplate;
  desk: Desk;
  part: Part;
  onAdd: () => void;
}

/** Another language's words, beside those that are edited; they can be taken as a start. */
export function Languages({ template, desk, part, onAdd }: LanguagesProps) {
  const others = template.locales.filter((locale) => locale !== template.locale);
  const [chosen, setChosen] = useState<string | null>(null);
  const locale = chosen ?? others.find((each) => each === DEFAULT_LOCALE) ?? others[0];
  return (
    <div className="grid grid-cols-1 gap-4">
      {locale ? (
        <>
          <Select label="Beside it" value={locale} onChange={(event) => setChosen(event.target.value)}>
            {others.map((each) => (
              <option key={each} value={each}>
                {languageName(each)}
              </option>
            ))}
          </Select>
          <Other template={template} locale={locale} desk={desk} part={part} />
        </>
      ) : (
        <p className="text-sm text-muted">
          {languageName(template.locale)} is the only language of this mail so far.
        </p>
      )}
      <Button className="justify-self-start" onClick={onAdd}>
        Add a language…
      </Button>
    </div>
  );
}

interface OtherProps {
  template: EmailTemplate;
  locale: string;
  desk: Desk;
  part: Part;
}

function Other({ template, locale, desk, part }: OtherProps) {
  const other = useQuery(templateIn(template.key, locale));
  if (other.error && !other.data) {
    return <Alert tone="danger">These words could not be loaded. {getErrorMessage(other.error)}</Alert>;
  }
  if (!other.data) return <p className="text-sm text-muted">Loading…</p>;
  const { copy } = standing(other.data);
  const take = () => {
    const { dirty, copy: mine } = desk.snapshot();
    if (dirty) desk.setAside("What was in the editor", mine);
    desk.put(copy);
  };
  return (
    <>
      <OtherWords copy={copy} part={part} name={languageName(locale)} />
      <Button size="small" className="justify-self-start" onClick={take}>
        Copy all its words into {languageName(template.locale)}
      </Button>
    </>
  );
}
