import { Link } from "@tanstack/react-router";
import { ArrowLeft, Ellipsis, History, Send } from "lucide-react";
import type { EmailTemplate } from "@/client/types.gen";
import { PageHeading } from "@/components/page-heading";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Menu, MenuItem } from "@/components/ui/menu";
import { RelativeTime } from "@/components/ui/relative-time";
import { Select } from "@/components/ui/select";
import { languageName } from "@/lib/languages";
import { isTranslated } from "./draft/current-source";
import { ActorOrYou } from "./draft/source-label";
import type { EditorState } from "./use-editor";

/** The template's name and state, and the actions on it. */
export function Header({ editor }: { editor: EditorState }) {
  const { template, status } = editor;
  return (
    <header className="grid gap-3">
      <Link
        to="/settings/email-templates"
        className="inline-flex min-h-6 items-center gap-1.5 justify-self-start text-sm font-medium text-brand hover:underline"
      >
        <ArrowLeft size={16} aria-hidden />
        All templates
      </Link>
      <PageHeading title={template.name} actions={<Actions editor={editor} />}>
        <span className="flex flex-wrap items-center gap-x-2 gap-y-1 text-sm">
          <code className="font-mono">{template.key}</code>
          {template.contains_secrets ? <Badge tone="quiet">Contains secrets</Badge> : null}
          {editor.state.dirty ? <Badge tone="notice">Unsaved changes</Badge> : null}
          <span>
            <SourceState editor={editor} />
          </span>
          <span role="status" className="text-ink">
            {status}
          </span>
        </span>
      </PageHeading>
    </header>
  );
}

/** These are in the menu where there is no room for buttons. */
const SECONDARY = [
  { dialog: "versions", label: "Versions", Icon: History },
  { dialog: "test", label: "Send a test", Icon: Send },
] as const;

function Actions({ editor }: { editor: EditorState }) {
  const { template, wide, save, openDialog } = editor;
  return (
    <>
      <LanguageSelect editor={editor} />
      {wide
        ? SECONDARY.map(({ dialog, label, Icon }) => (
            <Button key={dialog} onClick={() => void openDialog(dialog)}>
              <Icon size={16} aria-hidden />
              {label}
            </Button>
          ))
        : null}
      <Button onClick={() => void save()} title="Ctrl+S or ⌘S" aria-keyshortcuts="Control+S Meta+S">
        Save
      </Button>
      <Button variant="primary" onClick={() => void openDialog("publish")}>
        Publish…
      </Button>
      <Menu
        className="w-72"
        trigger={
          <Button aria-label="More" className="px-2.5!">
            <Ellipsis size={18} aria-hidden />
          </Button>
        }
      >
        {wide
          ? null
          : SECONDARY.map(({ dialog, label, Icon }) => (
              <MenuItem key={dialog} onSelect={() => void openDialog(dialog)}>
                <Icon size={16} aria-hidden />
                {label}
              </MenuItem>
            ))}
        <MenuItem onSelect={() => void openDialog("language")}>Add a language…</MenuItem>
        <MenuItem onSelect={() => void openDialog("secrets")}>Secrets in its emails…</MenuItem>
        <MenuItem danger onSelect={() => void openDialog("reset")}>
          {template.source === "builtin" ? "Reset to the built-in template…" : "Delete this template…"}
        </MenuItem>
      </Menu>
    </>
  );
}

function LanguageSelect({ editor: { template, showLocale } }: { editor: EditorState }) {
  const { locale, locales } = template;
  const all = isTranslated(template) ? locales : [...locales, locale].sort();
  return (
    <Select
      label="Language"
      hideLabel
      value={locale}
      onChange={(event) => showLocale(event.target.value)}
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

function SourceState({ editor: { template, state, me } }: { editor: EditorState }) {
  const { kind, version, changedBy, changedAt } = state.base;
  switch (kind) {
    case "draft":
      return (
        <>
          Draft saved {changedAt ? <RelativeTime at={changedAt} /> : null}
          {changedBy ? (
            <>
              {" by "}
              <ActorOrYou actor={changedBy} me={me.id} />
            </>
          ) : null}
          . {inUse(template)}
        </>
      );
    case "published":
      return (
        <>
          Published version {version}, {changedAt ? <RelativeTime at={changedAt} /> : null}
        </>
      );
    case "builtin":
      return isTranslated(template) ? "Built-in template" : "Not translated yet";
    case "none":
      return "No content yet";
  }
}

function inUse({ published, default: builtin }: EmailTemplate): string {
  if (published) return `Version ${published.version} is in use.`;
  return builtin ? "The built-in template is in use." : "Nothing is published yet.";
}
