import { Link } from "@tanstack/react-router";
import type { Ref } from "react";
import type { TemplateEntry } from "@/client/types.gen";
import { Actor } from "@/components/actor";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { RelativeTime } from "@/components/ui/relative-time";
import { Cell, ROW_LINK, Row, Table } from "@/components/ui/table";
import { languageName } from "@/lib/languages";
import { localeSearch } from "../search-params";

interface TemplateTableProps {
  items: TemplateEntry[];
  locale: string;
  stale: boolean;
  /** The key of the template that is being deleted or reset. */
  removing: string | undefined;
  onRemove: (template: TemplateEntry) => void;
  ref: Ref<HTMLTableElement>;
}

export function TemplateTable({ items, locale, stale, removing, onRemove, ref }: TemplateTableProps) {
  return (
    <Table
      ref={ref}
      label="Email templates"
      columns={["Template", "Status", "Languages", "Last change", { hidden: "Actions" }]}
      stale={stale}
    >
      {items.map((template) => (
        <Row key={template.key}>
          <Cell className="md:w-2/5">
            <Link
              to="/settings/email-templates/$key"
              params={{ key: template.key }}
              search={{ locale: localeSearch(localeToOpen(template, locale)) }}
              data-row={template.key}
              className={ROW_LINK}
            >
              {template.name}
            </Link>{" "}
            <span className="font-mono text-xs text-muted wrap-anywhere">{template.key}</span>
            {template.description ? (
              <p className="mt-0.5 line-clamp-2 text-muted">{template.description}</p>
            ) : null}
          </Cell>
          <Cell>
            <Status template={template} locale={locale} />
          </Cell>
          <Cell name="Languages">{template.locales.map(languageName).join(", ")}</Cell>
          <Cell name="Last change">
            <LastChange template={template} />
          </Cell>
          <Cell className="text-right max-md:ml-auto max-md:empty:hidden">
            <Remove template={template} busy={removing === template.key} onRemove={onRemove} />
          </Cell>
        </Row>
      ))}
    </Table>
  );
}

/** The language to open a template in: the chosen one if the template has it. */
function localeToOpen({ locales }: TemplateEntry, locale: string): string | undefined {
  return locales.includes(locale) ? locale : locales[0];
}

function Status({ template, locale }: { template: TemplateEntry; locale: string }) {
  const { source, published_version: version, has_draft: draft } = template;
  return (
    <span className="flex flex-wrap gap-1.5">
      <Badge tone="quiet">{source === "builtin" ? "Built-in" : "Custom"}</Badge>
      {template.contains_secrets ? <Badge tone="quiet">Contains secrets</Badge> : null}
      {version ? <Badge tone="brand">Published, version {version}</Badge> : null}
      {draft ? <Badge tone="notice">{version === null ? "Draft only" : "Draft"}</Badge> : null}
      {version === null && !draft ? <Badge tone="quiet">Not in {languageName(locale)}</Badge> : null}
    </span>
  );
}

function LastChange({ template }: { template: TemplateEntry }) {
  if (!template.updated_at) return <span className="text-muted">Never</span>;
  return (
    <span className="inline-grid">
      <RelativeTime at={template.updated_at} />
      {template.updated_by ? (
        <span className="text-muted wrap-anywhere">
          <Actor name={template.updated_by} />
        </span>
      ) : null}
    </span>
  );
}

interface RemoveProps {
  template: TemplateEntry;
  busy: boolean;
  onRemove: (template: TemplateEntry) => void;
}

function Remove({ template, busy, onRemove }: RemoveProps) {
  if (template.source === "builtin" && template.changed.length === 0) return null;
  const action = template.source === "builtin" ? "Reset" : "Delete";
  return (
    <Button
      variant="danger-quiet"
      size="small"
      className="relative"
      busy={busy}
      aria-label={`${action} ${template.key}`}
      onClick={() => onRemove(template)}
    >
      {action}
    </Button>
  );
}
