import type { Diagnostic } from "@codemirror/lint";
import type { Text } from "@codemirror/state";
import type { TemplateDiagnostic } from "@/client/types.gen";

// What a finding underlines: a whole tag of Jinja, an HTML tag's beginning, a word, or else one character.
const MARKED = /^(?:\{\{.*?\}\}|\{%.*?%\}|<\/?[\w-]+|[\w-]+|.)/u;

/** What the service found, placed in a document; a line or column outside of it is moved to the nearest inside. */
export function placed(doc: Text, found: TemplateDiagnostic[]): Diagnostic[] {
  return found.map(({ line, column, severity, rule, msg }) => {
    const from = position(doc, line, column);
    const rest = doc.sliceString(from, doc.lineAt(from).to);
    const to = from + (MARKED.exec(rest)?.[0].length ?? 0);
    return { from, to, severity, message: msg, source: rule };
  });
}

/** The place of a line and a column, both from 1; a column counts characters as Python does, so an emoji is one. */
export function position(doc: Text, line: number, column: number): number {
  const { from, text } = doc.line(Math.min(Math.max(line, 1), doc.lines));
  return from + [...text].slice(0, Math.max(column, 1) - 1).join("").length;
}
