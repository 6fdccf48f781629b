import type { EmailTemplate } from "@/client/types.gen";
import { type Tab, Tabs } from "@/components/ui/tabs";
import { getErrorMessage } from "@/lib/errors";
import { isTransient } from "@/lib/query-client";
import { InboxLine } from "./inbox-line";
import { PreviewFrames } from "./preview-frames";
import { SizeMeter } from "./size-meter";
import type { PreviewState } from "./use-preview";
import { VIEWS } from "./views";

interface PreviewPanelProps {
  template: Pick<EmailTemplate, "key" | "locale">;
  state: PreviewState | null;
}

/** The email as it would be sent: in an inbox, opened in several email clients, as plain text, and its size. */
export function PreviewPanel({ template: { key, locale }, state }: PreviewPanelProps) {
  const { preview, request } = state ?? {};
  if (!preview || !request) {
    return (
      <section aria-label="Preview" className="grid grid-cols-1 gap-4">
        <Status state={state} />
        <div className="grid h-[36rem] place-items-center rounded-lg border border-line bg-sunken p-6 text-center text-sm text-muted">
          {state ? "There is no preview yet." : "Rendering…"}
        </div>
      </section>
    );
  }
  const frames = { templateKey: key, locale, request, subject: preview.subject };
  // The frames keep their pages from one view to the next.
  const tabs: Tab[] = VIEWS.map((view) => ({
    name: view.name,
    content: <PreviewFrames {...frames} view={view} />,
  }));
  return (
    <section aria-label="Preview" className="grid grid-cols-1 gap-4">
      <Status state={state} />
      <InboxLine preview={preview} />
      <Tabs
        label="Preview as"
        tabs={[...tabs, { name: "Plain text", content: <PlainText text={preview.text} /> }]}
      />
      <SizeMeter bytes={preview.size_bytes} />
    </section>
  );
}

function Status({ state }: { state: PreviewState | null }) {
  return (
    <div className="flex min-h-5 flex-wrap items-baseline justify-between gap-x-4 text-sm">
      <p role="status" className={state?.error ? "text-danger" : "text-notice"}>
        {state ? statusOf(state) : ""}
      </p>
      {/* Not announced: it appears at every pause in typing. */}
      <p className="text-muted">{state?.pending && !state.error ? "Updating…" : ""}</p>
    </div>
  );
}

function statusOf({ error, preview, diagnostics, sampleErrors, stale }: PreviewState): string {
  if (error) {
    return [
      getErrorMessage(error),
      preview ? "This is the last preview." : "",
      isTransient(error) ? "Trying again…" : "",
    ]
      .filter(Boolean)
      .join(" ");
  }
  const hasErrors = diagnostics.some(({ severity }) => severity === "error");
  if (hasErrors && !preview) return "The template has errors.";
  if (hasErrors && stale) return "The template has errors. This is the last preview without errors.";
  const names = Object.keys(sampleErrors).join(", ");
  return names ? `Invalid sample data for ${names}. The preview uses the example.` : "";
}

function PlainText({ text }: { text: string }) {
  return (
    <section
      aria-label="Plain text"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard.
      tabIndex={0}
      className="h-[36rem] overflow-auto rounded-lg border border-line bg-surface p-4 font-mono text-[0.8125rem]/6 whitespace-pre-wrap wrap-anywhere"
    >
      {text}
    </section>
  );
}
