import { PART_NAMES, type Part } from "../draft/content";
import type { Copy } from "../draft/current-source";

/** The words of another copy, to read beside one's own. */
export function OtherWords({ copy, part, name }: { copy: Copy; part: Part; name: string }) {
  const words = copy[part];
  return (
    <section className="grid grid-cols-1 gap-2" aria-label={`${PART_NAMES[part]}: ${name}`}>
      <h3 className="text-sm font-semibold">{PART_NAMES[part]}</h3>
      {words ? (
        <pre
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard.
          tabIndex={0}
          className="max-h-[32rem] overflow-auto rounded-lg border border-line bg-sunken p-3 font-mono text-xs/5 whitespace-pre-wrap wrap-anywhere"
        >
          {words}
        </pre>
      ) : (
        <p className="text-sm text-muted">{words === null ? "It is made from the HTML." : "It is empty."}</p>
      )}
    </section>
  );
}
