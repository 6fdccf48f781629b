import { Text } from "@codemirror/state";
import { describe, expect, it } from "vitest";
import type { TemplateDiagnostic } from "@/client/types.gen";
import { offsetOf, toDiagnostics } from "./diagnostics";

const doc = Text.of(["<h1>Hello 👋 {{ nam }}</h1>", "", "{% fro x %}"]);

function diagnostic(line: number, column: number): TemplateDiagnostic {
  return {
    part: "html",
    line,
    column,
    severity: "error",
    rule: "unknown-variable",
    msg: "Unknown variable.",
  };
}

describe("a diagnostic", () => {
  it.each([
    [1, 1, "<h1"],
    [1, 5, "Hello"],
    [1, 13, "{{ nam }}"],
    [1, 16, "nam"],
    [3, 1, "{% fro x %}"],
    [3, 4, "fro"],
    [2, 1, ""],
    [0, 0, "<h1"],
    [99, 1, "{% fro x %}"],
    [3, 99, ""],
  ])("at %i:%i underlines %o", (line, column, underlined) => {
    const [converted] = toDiagnostics(doc, [diagnostic(line, column)]);
    expect(doc.sliceString(converted?.from ?? -1, converted?.to)).toBe(underlined);
  });

  it("has a message, a severity and the rule as its source", () => {
    expect(toDiagnostics(doc, [diagnostic(3, 4)])).toEqual([
      { from: 32, to: 35, severity: "error", message: "Unknown variable.", source: "unknown-variable" },
    ]);
  });

  it("has an offset even in an empty document", () => expect(offsetOf(Text.of([""]), 7, 7)).toBe(0));
});
