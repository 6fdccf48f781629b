import { useMemo } from "react";
import type { Preview } from "@/client/types.gen";

/** The sender, the subject and the beginning of the email, as an email client's inbox lists them. */
export function InboxLine({ preview }: { preview: Preview }) {
  const sender = senderName(preview.sender);
  const snippet = useMemo(() => snippetOf(preview.html), [preview.html]);
  return (
    <section
      aria-label="In an inbox"
      className="flex gap-3 rounded-lg border border-line bg-surface p-3 text-sm"
    >
      <span
        aria-hidden
        className="grid size-9 shrink-0 place-items-center rounded-full bg-brand-soft font-semibold text-brand"
      >
        {sender.slice(0, 1).toUpperCase()}
      </span>
      <div className="min-w-0">
        <p className="truncate text-muted">{sender}</p>
        <p className="truncate font-semibold">{preview.subject}</p>
        <p className="truncate text-muted">{snippet || "No preheader"}</p>
      </div>
    </section>
  );
}

const SNIPPET_LENGTH = 140;

/** The first text of the page, hidden or not: an inbox shows it after the subject. It is the preheader if there is one. */
function snippetOf(html: string): string {
  const template = document.createElement("template");
  // The page's Content Security Policy reports each inline style that is parsed, even in an inert template.
  template.innerHTML = html
    .replace(/<(style|title)\b[\s\S]*?<\/\1\s*>/gi, "")
    .replace(/\sstyle\s*=/gi, " data-style=");
  const text = template.content.textContent ?? "";
  // Runs of invisible characters separate a preheader from the text that follows it.
  const [snippet = ""] = text
    .replace(/\s*(?:[\u034f\u200b-\u200d\ufeff\u00ad]\s*){3,}/g, "\n\0")
    .trim()
    .split("\0");
  return snippet.replace(/\s+/g, " ").trim().slice(0, SNIPPET_LENGTH);
}

/** The name in a From header, or the email address where there is no name. */
function senderName(from: string): string {
  return (
    from
      .replace(/<[^>]*>\s*$/, "")
      .replace(/^\s*"|"\s*$/g, "")
      .trim() || from.replace(/[<>]/g, "")
  );
}
