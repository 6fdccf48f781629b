import type { Diagnostic } from "@codemirror/lint";
import type { Text } from "@codemirror/state";
import type { TemplateDiagnostic } from "@/client/types.gen";

// What is underlined: a whole Jinja tag, the start of an HTML tag, a word, or else one character.
const UNDERLINED = /^(?:\{\{.*?\}\}|\{%.*?%\}|<\/?[\w-]+|[\w-]+|.)/u;

/** Convert the server's diagnostics to CodeMirror's. Positions outside the document move to the nearest inside. */
export function toDiagnostics(doc: Text, found: TemplateDiagnostic[]): Diagnostic[] {
  return found.map(({ line, column, severity, rule, msg }) => {
    const from = offsetOf(doc, line, column);
    const rest = doc.sliceString(from, doc.lineAt(from).to);
    const to = from + (UNDERLINED.exec(rest)?.[0].length ?? 0);
    return { from, to, severity, message: msg, source: rule };
  });
}

/** The offset of a line and a column, both from 1. Columns count code points, as Python does: an emoji is one. */
export function offsetOf(doc: Text, line: number, column: number): number {
  const { from, text } = doc.line(Math.min(Math.max(line, 1), doc.lines));
  return from + [...text].slice(0, Math.max(column, 1) - 1).join("").length;
}
