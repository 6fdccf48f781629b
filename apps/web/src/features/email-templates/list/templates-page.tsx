import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useRef, useState } from "react";
import type { TemplateEntry } from "@/client/types.gen";
import { ListSkeleton } from "@/components/list-skeleton";
import { LoadFailed } from "@/components/load-failed";
import { PageHeading } from "@/components/page-heading";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { SearchBox } from "@/components/ui/search-box";
import { Select } from "@/components/ui/select";
import { getErrorMessage, isForbidden } from "@/lib/errors";
import { languageName } from "@/lib/languages";
import { focusRow, neighbor } from "@/lib/row-focus";
import { useDeleteTemplate } from "../mutations";
import { templatesQuery } from "../queries";
import { DEFAULT_LOCALE, type ListSearch, localeSearch } from "../search-params";
import { CreateTemplateDialog } from "./create-template";
import { RemoveTemplateDialog } from "./remove-template";
import { TemplateTable } from "./template-table";

/** Lists the email templates with their status in one language. */
export function TemplatesPage({ search }: { search: ListSearch }) {
  const locale = search.locale ?? DEFAULT_LOCALE;
  const list = useQuery({ ...templatesQuery(locale), placeholderData: keepPreviousData });
  const [creating, setCreating] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = list.data && !isForbidden(list.error);
  return (
    <div className="grid grid-cols-1 gap-6" data-wide>
      <PageHeading
        ref={heading}
        title="Templates"
        actions={
          shown ? (
            <Button variant="primary" onClick={() => setCreating(true)}>
              <Plus size={16} aria-hidden />
              New template
            </Button>
          ) : null
        }
      >
        The content of the emails that Gatepost sends: built-in templates and your own.
      </PageHeading>
      {list.isPending ? <ListSkeleton label="Loading the templates" rows={6} control /> : null}
      {list.error && !shown ? <LoadFailed what="The templates" query={list} /> : null}
      {list.error && shown ? (
        <Alert tone="danger">The templates could not be reloaded. {getErrorMessage(list.error)}</Alert>
      ) : null}
      {shown ? (
        <TemplateList
          items={list.data.items}
          search={search}
          locale={locale}
          stale={list.isPlaceholderData}
          onEmptied={() => heading.current?.focus()}
        />
      ) : null}
      <CreateTemplateDialog open={creating} onClose={() => setCreating(false)} />
    </div>
  );
}

interface TemplateListProps {
  items: TemplateEntry[];
  search: ListSearch;
  locale: string;
  stale: boolean;
  /** Called after the last row is deleted, when no row can take the focus. */
  onEmptied: () => void;
}

function TemplateList({ items, search, locale, stale, onEmptied }: TemplateListProps) {
  const navigate = useNavigate({ from: "/settings/email-templates/" });
  const table = useRef<HTMLTableElement>(null);
  const [confirming, setConfirming] = useState<TemplateEntry | null>(null);
  const remove = useDeleteTemplate({ toastErrors: true });
  const found = items.filter((template) => matches(template, search.q));
  const changeSearch = (changes: ListSearch) =>
    void navigate({ search: (before) => ({ ...before, ...changes }), replace: true });

  const handleConfirm = (template: TemplateEntry) => {
    setConfirming(null);
    const keys = found.map((each) => each.key);
    const next = template.source === "builtin" ? template.key : neighbor(keys, template.key);
    remove.mutate(template, { onSuccess: () => focusRow(table.current, next) || onEmptied() });
  };

  return (
    <>
      <div className="flex flex-wrap gap-3">
        <SearchBox
          className="grow basis-60"
          label="Search by name or key"
          value={search.q ?? ""}
          onSearch={(q) => changeSearch({ q: q || undefined })}
        />
        <Select
          label="Language"
          hideLabel
          className="grow basis-52 sm:grow-0"
          value={locale}
          onChange={(event) => changeSearch({ locale: localeSearch(event.target.value) })}
        >
          {languagesOf(items, locale).map((each) => (
            <option key={each} value={each}>
              Status in {languageName(each)}
            </option>
          ))}
        </Select>
      </div>
      <p role="status" className="sr-only">
        {found.length === 1 ? "1 template" : `${found.length} templates`}
      </p>
      {found.length > 0 ? (
        <TemplateTable
          ref={table}
          items={found}
          locale={locale}
          stale={stale}
          removing={remove.isPending ? remove.variables.key : undefined}
          onRemove={setConfirming}
        />
      ) : (
        <div className="card grid justify-items-start gap-3 p-5 text-sm text-muted">
          <p>No template matches “{search.q}”.</p>
          <Button onClick={() => changeSearch({ q: undefined })}>Show all templates</Button>
        </div>
      )}
      <RemoveTemplateDialog
        template={confirming}
        onConfirm={handleConfirm}
        onClose={() => setConfirming(null)}
      />
    </>
  );
}

function matches({ key, name }: TemplateEntry, q: string | undefined): boolean {
  const wanted = q?.toLowerCase() ?? "";
  return key.includes(wanted) || name.toLowerCase().includes(wanted);
}

/** The languages of all templates, the chosen one and the default, sorted by name. */
function languagesOf(items: TemplateEntry[], chosen: string): string[] {
  const codes = new Set([chosen, DEFAULT_LOCALE, ...items.flatMap((template) => template.locales)]);
  return [...codes].toSorted((one, other) => languageName(one).localeCompare(languageName(other)));
}
