import { Link } from "@tanstack/react-router";
import { ArrowLeft, History, Send } from "lucide-react";
import type { EmailTemplate } from "@/client/types.gen";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { RelativeTime } from "@/components/ui/relative-time";
import { Select } from "@/components/ui/select";
import { languageName } from "@/lib/languages";
import { isWritten } from "./draft/current-source";
import type { DeskState } from "./draft/draft-store";
import { By } from "./draft/source-label";
import { Menu } from "./menu";

export type DialogName = "publish" | "versions" | "test" | "reset" | "language" | "conflict";

interface HeaderProps {
  template: EmailTemplate;
  state: DeskState;
  me: string;
  wide: boolean;
  told: string;
  onLocale: (locale: string) => void;
  onSave: () => void;
  onOpen: (dialog: DialogName) => void;
}

/** What is edited, how far it is, and what can be done with it. */
export function Header({ template, state, me, wide, told, onLocale, onSave, onOpen }: HeaderProps) {
  const removal = template.source === "builtin" ? "Reset to the built-in words" : "Delete this template";
  return (
    <header className="grid gap-3">
      <Link
        to={LIST}
        className="inline-flex min-h-6 items-center gap-1.5 justify-self-start text-sm font-medium text-brand hover:underline"
      >
        <ArrowLeft size={16} aria-hidden />
        All templates
      </Link>
      <div className="flex items-start gap-x-6 gap-y-4 max-lg:flex-wrap">
        <div className="grid min-w-0 gap-1.5 max-lg:basis-full lg:grow">
          <h1 className="flex flex-wrap items-baseline gap-x-3 text-2xl font-semibold tracking-tight wrap-anywhere">
            {template.name}
            <code className="font-mono text-sm font-normal tracking-normal text-muted">{template.key}</code>
          </h1>
          <div className="flex flex-wrap items-center gap-x-2 gap-y-1 text-sm text-muted">
            <State template={template} state={state} me={me} />
            <span role="status" className="text-ink">
              {told}
            </span>
          </div>
        </div>
        <div className="relative flex flex-wrap items-center gap-2 lg:shrink-0 lg:flex-nowrap">
          <Languages template={template} onLocale={onLocale} />
          {wide ? <Also onOpen={onOpen} /> : null}
          <Button onClick={onSave} title="Ctrl+S or ⌘S" aria-keyshortcuts="Control+S Meta+S">
            Save
          </Button>
          <Button variant="primary" onClick={() => onOpen("publish")}>
            Publish…
          </Button>
          <Menu
            label="More"
            entries={[
              ...(wide ? [] : ALSO.map(({ name, label }) => ({ label, onChoose: () => onOpen(name) }))),
              { label: "Add a language…", onChoose: () => onOpen("language") },
              { label: `${removal}…`, danger: true, onChoose: () => onOpen("reset") },
            ]}
          />
        </div>
      </div>
    </header>
  );
}

// Its page is a route of its own.
export const LIST: string = "/settings/email-templates";

const ALSO = [
  { name: "versions", label: "Versions", Icon: History },
  { name: "test", label: "Send a test", Icon: Send },
] as const;

/** What has a place in the menu where there is no room for it. */
function Also({ onOpen }: { onOpen: (dialog: DialogName) => void }) {
  return ALSO.map(({ name, label, Icon }) => (
    <Button key={name} onClick={() => onOpen(name)}>
      <Icon size={16} aria-hidden />
      {label}
    </Button>
  ));
}

function Languages({ template, onLocale }: { template: EmailTemplate; onLocale: (locale: string) => void }) {
  const { locale, locales } = template;
  const all = isWritten(template) ? locales : [...locales, locale].sort();
  return (
    <Select
      label="Language"
      quiet
      value={locale}
      onChange={(event) => onLocale(event.target.value)}
      className="w-44"
    >
      {all.map((each) => (
        <option key={each} value={each}>
          {languageName(each)}
        </option>
      ))}
    </Select>
  );
}

function State({ template, state, me }: { template: EmailTemplate; state: DeskState; me: string }) {
  const { kind, version, by, at } = state.base.origin;
  const written = isWritten(template);
  return (
    <>
      {state.dirty ? <Badge tone="notice">Unsaved changes</Badge> : null}
      <span>
        {kind === "draft" && at && by ? (
          <>
            Draft saved <RelativeTime at={at} /> by <By actor={by} me={me} />
          </>
        ) : null}
        {kind === "published" && at ? (
          <>
            Published version {version}, <RelativeTime at={at} />
          </>
        ) : null}
        {kind === "builtin"
          ? written
            ? "Built-in words"
            : "The words of another language, for a start"
          : null}
        {kind === "nothing" ? "Nothing written yet" : null}
        {kind === "draft" ? <>; {sent(template)} is sent until it is published</> : null}
      </span>
    </>
  );
}

function sent(template: EmailTemplate): string {
  if (template.published) return `version ${template.published.version}`;
  return template.default ? "the built-in mail" : "nothing";
}
