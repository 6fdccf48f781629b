import { useMemo } from "react";
import type { Preview } from "@/client/types.gen";
import { type Tab, Tabs } from "@/components/ui/tabs";
import { getErrorMessage } from "@/lib/errors";
import { isPassing } from "@/lib/query-client";
import { firstWords, nameOf } from "./inbox";
import { PreviewFrames } from "./preview-frames";
import { SizeMeter } from "./size-meter";
import type { Checked, Shown } from "./use-preview";
import { VIEWS } from "./views";

export interface PreviewPaneProps {
  templateKey: string;
  locale: string;
  checked: Checked | null;
}

/** The mail as it would be sent: in an inbox, opened in several ways, and how large it is. */
export function PreviewPane({ templateKey, locale, checked }: PreviewPaneProps) {
  const { preview, shown } = checked ?? {};
  return (
    <section aria-label="Preview" className="grid grid-cols-1 gap-4">
      <State checked={checked} />
      {preview && shown ? (
        <>
          <InboxLine preview={preview} />
          <Tabs label="Ways to look at it" tabs={tabsOf(templateKey, locale, preview, shown)} />
          <SizeMeter bytes={preview.size_bytes} />
        </>
      ) : (
        <div className="grid h-[36rem] place-items-center rounded-lg border border-line bg-sunken p-6 text-center text-sm text-muted">
          {checked ? "There is nothing to show yet." : "Rendering…"}
        </div>
      )}
    </section>
  );
}

function tabsOf(templateKey: string, locale: string, preview: Preview, shown: Shown): Tab[] {
  const place = { templateKey, locale, shown, subject: preview.subject };
  return [
    // The frames stay what they are from one view to the next.
    ...VIEWS.map((view) => ({ name: view.name, content: <PreviewFrames {...place} view={view} /> })),
    { name: "Plain text", content: <PlainText text={preview.text} /> },
  ];
}

function State({ checked }: { checked: Checked | null }) {
  return (
    <div className="flex min-h-5 flex-wrap items-baseline justify-between gap-x-4 text-sm">
      <p role="status" className={checked?.error ? "text-danger" : "text-notice"}>
        {checked ? stateOf(checked) : ""}
      </p>
      {/* Seen, but not read out: it comes and goes with every pause in typing. */}
      <p className="text-muted">{checked?.pending && !checked.error ? "Updating…" : ""}</p>
    </div>
  );
}

function stateOf({ error, preview, diagnostics, problems, stale }: Checked): string {
  const last = preview ? " This is the last preview." : "";
  if (error) {
    const again = isPassing(error) ? " Trying again…" : "";
    return `${getErrorMessage(error)}${last}${again}`;
  }
  const broken = diagnostics.some(({ severity }) => severity === "error");
  if (broken && !preview) return "The template has errors.";
  if (broken && stale) return "The template has errors. This is the last preview without.";
  const names = Object.keys(problems);
  return names.length > 0 ? `Sample data that does not fit: ${names.join(", ")}. The example is shown.` : "";
}

function InboxLine({ preview }: { preview: Preview }) {
  const name = nameOf(preview.sender);
  const line = useMemo(() => firstWords(preview.html), [preview.html]);
  return (
    <section
      aria-label="In an inbox"
      className="flex gap-3 rounded-lg border border-line bg-surface p-3 text-sm"
    >
      <span
        aria-hidden
        className="grid size-9 shrink-0 place-items-center rounded-full bg-brand-soft font-semibold text-brand"
      >
        {name.slice(0, 1).toUpperCase()}
      </span>
      <div className="min-w-0">
        <p className="truncate text-muted">{name}</p>
        <p className="truncate font-semibold">{preview.subject}</p>
        <p className="truncate text-muted">{line || "No preheader"}</p>
      </div>
    </section>
  );
}

function PlainText({ text }: { text: string }) {
  return (
    <section
      aria-label="Plain text"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard.
      tabIndex={0}
      className="h-[36rem] overflow-auto rounded-lg border border-line bg-surface p-4 font-mono text-[0.8125rem]/6 whitespace-pre-wrap wrap-anywhere"
    >
      {text}
    </section>
  );
}
