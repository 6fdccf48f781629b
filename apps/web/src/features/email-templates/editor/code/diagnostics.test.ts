import { Text } from "@codemirror/state";
import { describe, expect, it } from "vitest";
import type { TemplateDiagnostic } from "@/client/types.gen";
import { placed, position } from "./diagnostics";

const doc = Text.of(["<h1>Hello 👋 {{ nam }}</h1>", "", "{% fro x %}"]);

function found(line: number, column: number): TemplateDiagnostic {
  return { part: "html", line, column, severity: "error", rule: "unknown-variable", msg: "No such thing." };
}

describe("a finding", () => {
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
  ])("at %i:%i marks %o", (line, column, marked) => {
    const [diagnostic] = placed(doc, [found(line, column)]);
    expect(doc.sliceString(diagnostic?.from ?? -1, diagnostic?.to)).toBe(marked);
  });

  it("says what is wrong, how bad it is, and by which rule", () => {
    expect(placed(doc, [found(3, 4)])).toEqual([
      { from: 32, to: 35, severity: "error", message: "No such thing.", source: "unknown-variable" },
    ]);
  });

  it("has a place even in nothing", () => expect(position(Text.of([""]), 7, 7)).toBe(0));
});
