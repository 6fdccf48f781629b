import { PART_NAMES, type Part, type TemplateContent } from "../draft/content";

/** One part of other content than that in the editor, for reading. */
export function PartText({ content, part, name }: { content: TemplateContent; part: Part; name: string }) {
  const text = content[part];
  return (
    <section className="grid grid-cols-1 gap-2" aria-label={`${PART_NAMES[part]}: ${name}`}>
      <h3 className="text-sm font-semibold">{PART_NAMES[part]}</h3>
      {text ? (
        <pre
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard.
          tabIndex={0}
          className="max-h-[32rem] overflow-auto rounded-lg border border-line bg-sunken p-3 font-mono text-xs/5 whitespace-pre-wrap wrap-anywhere"
        >
          {text}
        </pre>
      ) : (
        <p className="text-sm text-muted">{text === null ? "Generated from the HTML." : "Empty."}</p>
      )}
    </section>
  );
}
