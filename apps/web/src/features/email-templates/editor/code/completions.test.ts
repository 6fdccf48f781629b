import { type Completion, CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { EditorState } from "@codemirror/state";
import { describe, expect, it } from "vitest";
import type { TemplateLanguage, TemplateVariable } from "@/client/types.gen";
import { vocabulary } from "./completions";
import { templateLanguage } from "./language";

const word = (name: string) => ({ name, description: `What ${name} does.`, example: `x ${name}` });
const variables: TemplateVariable[] = [
  { name: "first_name", type: "string", required: true, description: "What to call them." },
  { name: "pens", type: "list", example: [{ title: "Blue", price: 3 }] },
  { name: "names", type: "list", example: ["Ada"] },
];
const grammar: TemplateLanguage = {
  tags: ["if", "endif"],
  filters: [word("upper"), word("join")],
  tests: [word("defined"), word("odd")],
  variables: [{ name: "locale", type: "string" }],
};

async function completed(
  before: string,
  after = "",
  language: "html" | "text" = "html",
): Promise<Completion[]> {
  const extensions = [templateLanguage(language), vocabulary.of({ variables, grammar })];
  const state = EditorState.create({ doc: before + after, extensions });
  const context = new CompletionContext(state, before.length, false);
  const found: Completion[] = [];
  for (const source of state.languageDataAt<(at: CompletionContext) => CompletionResult | null>(
    "autocomplete",
    before.length,
  )) {
    const result = await source(context);
    const typed = before.slice(result?.from ?? before.length);
    found.push(...(result?.options.filter(({ label }) => label.startsWith(typed)) ?? []));
  }
  return found;
}

const labels = async (...args: Parameters<typeof completed>) =>
  (await completed(...args)).map(({ label }) => label);

const ALL = ["first_name", "pens", "names", "locale"];

describe.each(["html", "text"] as const)("in %s", (language) => {
  it.each<[string, string, string[]]>([
    ["{{ ", " }}", ALL],
    ["{{ fi", " }}", ["first_name"]],
    ["{{fi", "", ["first_name"]],
    ["{% if ", " %}", ALL],
    ["{% if not fi", " %}", ["first_name"]],
    ["{% for x in ", " %}", ALL],
    ["{{ first_name | ", " }}", ["upper", "join"]],
    ["{{ first_name|up", " }}", ["upper"]],
    ["{% if first_name is ", " %}", ["defined", "odd"]],
    ["{% if first_name is not od", " %}", ["odd"]],
    ["{% ", " %}", ["if", "endif"]],
    ["{%- en", "", ["endif"]],
    ["{{ names | join(", ") }}", ALL],
    ["{% for pen in pens %}{{ pe", " }}", ["pen", "pens"]],
    ["{% for pen in pens %}{{ pen.", " }}", ["title", "price"]],
    ["{% for pen in pens %}{{ loop.ind", " }}", ["index", "index0"]],
  ])("%s…%s completes %o", async (before, after, found) => {
    expect(
      (await labels(before, after, language)).filter((label) => label !== "pen" || found.includes(label)),
    ).toEqual(found);
  });

  it.each([
    ["{{ first_name }} ", ""],
    ["fi", ""],
    ['{{ first_name | join("fi', '") }}'],
    ["{% for fi", " %}"],
    ["{{ first_name.", " }}"],
    ["{{ pen.", " }}"],
    ["{{ loop.", " }}"],
    ["{% for name in names %}{{ name.", " }}"],
    ["{% for pen in pens %}{% endfor %}{{ pen.", " }}"],
  ])("%s…%s completes nothing", async (before, after = "") => {
    expect(await labels(before, after, language)).toEqual([]);
  });
});

describe("HTML", () => {
  it("has its own completions, beside those inside an attribute's braces", async () => {
    expect(await labels("<tab", ">")).toContain("table");
    expect(await labels("<td bg", ">")).toEqual([]);
    expect(await labels("<td alig", ">")).toEqual([]);
    expect(await labels("<a hre", ">")).toContain("href");
    expect(await labels('<a href="{{ fi', ' }}">x</a>')).toEqual(["first_name"]);
  });
});

it("a completion tells what a variable is", async () => {
  const [found] = await completed("{{ fi", " }}");
  expect(found).toMatchObject({ detail: "string, required", info: "What to call them." });
  const [filter] = await completed("{{ first_name | up", " }}");
  expect(filter?.info).toBe("What upper does. x upper");
});
