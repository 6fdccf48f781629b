import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { EmailTemplate } from "@/client/types.gen";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Select } from "@/components/ui/select";
import { getErrorMessage } from "@/lib/errors";
import { languageName } from "@/lib/languages";
import { templateQuery } from "../../queries";
import { DEFAULT_LOCALE } from "../../search-params";
import type { Part } from "../draft/content";
import { currentSource } from "../draft/current-source";
import type { DraftStore } from "../draft/draft-store";
import { PartText } from "./part-text";

interface LanguagesPanelProps {
  template: EmailTemplate;
  draft: DraftStore;
  part: Part;
  onAdd: () => void;
}

/** The same part in another language, and a way to start from that language's content. */
export function LanguagesPanel({ template, draft, part, onAdd }: LanguagesPanelProps) {
  const others = template.locales.filter((locale) => locale !== template.locale);
  const [chosen, setChosen] = useState<string | null>(null);
  const locale = chosen ?? others.find((each) => each === DEFAULT_LOCALE) ?? others[0];
  return (
    <div className="grid grid-cols-1 gap-4">
      {locale ? (
        <>
          <Select label="Compare with" value={locale} onChange={(event) => setChosen(event.target.value)}>
            {others.map((each) => (
              <option key={each} value={each}>
                {languageName(each)}
              </option>
            ))}
          </Select>
          <OtherLanguage template={template} locale={locale} draft={draft} part={part} />
        </>
      ) : (
        <p className="text-sm text-muted">
          This template has no other language than {languageName(template.locale)}.
        </p>
      )}
      <Button className="justify-self-start" onClick={onAdd}>
        Add a language…
      </Button>
    </div>
  );
}

interface OtherLanguageProps extends Omit<LanguagesPanelProps, "onAdd"> {
  locale: string;
}

function OtherLanguage({ template, locale, draft, part }: OtherLanguageProps) {
  const other = useQuery(templateQuery(template.key, locale));
  const name = languageName(locale);
  if (other.error && !other.data) {
    return (
      <Alert tone="danger">
        The template in {name} could not be loaded. {getErrorMessage(other.error)}
      </Alert>
    );
  }
  if (!other.data) return <p className="text-sm text-muted">Loading…</p>;
  const { content } = currentSource(other.data);
  const handleCopy = () => {
    const { dirty, content: previous } = draft.snapshot();
    if (dirty) draft.addCopy("Previous editor content", previous);
    draft.replace(content);
  };
  return (
    <>
      <PartText content={content} part={part} name={name} />
      <Button size="small" className="justify-self-start" onClick={handleCopy}>
        Copy all of {name} to {languageName(template.locale)}
      </Button>
    </>
  );
}
