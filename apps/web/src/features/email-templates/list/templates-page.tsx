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
import { ApiError, getErrorMessage } from "@/lib/errors";
import { languageName } from "@/lib/languages";
import { focusRow, neighbour } from "@/lib/row-focus";
import { useDeleteTemplate } from "../mutations";
import { CreateTemplate } from "./create-template";
import { templates } from "./queries";
import { RemoveTemplate } from "./remove-template";
import { TemplateTable } from "./template-table";

export interface TemplatesSearch {
  /** Part of a key or a name. */
  q?: string;
  /** The language whose words are told of; English where there is none. */
  locale?: string;
}

/** Every template, and how far its words are. */
export function TemplatesPage({ search }: { search: TemplatesSearch }) {
  const locale = search.locale ?? "en";
  const list = useQuery({ ...templates(locale), placeholderData: keepPreviousData });
  const [creating, setCreating] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const forbidden = list.error instanceof ApiError && list.error.status === 403;
  const shown = list.data && !forbidden;
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
        The words of every e-mail: those that came with Gatepost, and your own.
      </PageHeading>
      {list.isPending ? <ListSkeleton label="Loading the templates" /> : null}
      {list.error && !shown ? <LoadFailed what="The templates" query={list} /> : null}
      {list.error && shown ? (
        <Alert tone="danger">The templates could not be reloaded. {getErrorMessage(list.error)}</Alert>
      ) : null}
      {shown ? (
        <Listed
          items={list.data.items}
          search={search}
          stale={list.isPlaceholderData}
          onEmptied={() => heading.current?.focus()}
        />
      ) : null}
      <CreateTemplate open={creating} onClose={() => setCreating(false)} />
    </div>
  );
}

interface ListedProps {
  items: TemplateEntry[];
  search: TemplatesSearch;
  stale: boolean;
  /** The last row that was shown is gone, and so is what had the focus. */
  onEmptied: () => void;
}

function Listed({ items, search, stale, onEmptied }: ListedProps) {
  const navigate = useNavigate({ from: "/settings/email-templates/" });
  const table = useRef<HTMLTableElement>(null);
  const [asked, setAsked] = useState<TemplateEntry | null>(null);
  const remove = useDeleteTemplate();
  const found = items.filter((template) => matches(template, search.q));
  const change = (changes: TemplatesSearch) =>
    void navigate({ search: (before) => ({ ...before, ...changes }), replace: true });

  const handleConfirm = (template: TemplateEntry) => {
    setAsked(null);
    const keys = found.map((each) => each.key);
    const next = template.source === "builtin" ? template.key : neighbour(keys, template.key);
    remove.mutate(template, { onSuccess: () => focusRow(table.current, next) || onEmptied() });
  };

  return (
    <>
      <div className="flex flex-wrap gap-3">
        <SearchBox
          className="grow basis-60"
          label="Search by name or key"
          value={search.q ?? ""}
          onSearch={(q) => change({ q: q || undefined })}
        />
        <Select
          label="Language of the words"
          quiet
          className="grow basis-52 sm:grow-0"
          value={search.locale ?? "en"}
          onChange={(event) =>
            change({ locale: event.target.value === "en" ? undefined : event.target.value })
          }
        >
          {languages(items, search.locale).map((each) => (
            <option key={each} value={each}>
              Words in {languageName(each)}
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
          locale={search.locale ?? "en"}
          stale={stale}
          removing={remove.isPending ? remove.variables.key : undefined}
          onRemove={setAsked}
        />
      ) : (
        <div className="card grid justify-items-start gap-3 p-5 text-sm text-muted">
          <p>No template has “{search.q}” in its name or key.</p>
          <Button onClick={() => change({ q: undefined })}>Show all templates</Button>
        </div>
      )}
      <RemoveTemplate template={asked} onConfirm={handleConfirm} onClose={() => setAsked(null)} />
    </>
  );
}

function matches({ key, name }: TemplateEntry, q: string | undefined): boolean {
  const wanted = q?.toLowerCase() ?? "";
  return key.includes(wanted) || name.toLowerCase().includes(wanted);
}

/** Every language that some template has words in, with English and the one that is chosen. */
function languages(items: TemplateEntry[], chosen = "en"): string[] {
  const codes = new Set([chosen, "en", ...items.flatMap((template) => template.locales)]);
  return [...codes].toSorted((one, other) => languageName(one).localeCompare(languageName(other)));
}
