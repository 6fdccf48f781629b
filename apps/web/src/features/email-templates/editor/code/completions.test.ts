import { type Completion, CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { EditorState } from "@codemirror/state";
import { describe, expect, it } from "vitest";
import type { TemplateLanguage, TemplateVariable } from "@/client/types.gen";
import { vocabulary } from "./completions";
import { templateLanguage } from "./language";

const feature = (name: string) => ({ name, description: `What ${name} does.`, example: `x ${name}` });
const variables: TemplateVariable[] = [
  { name: "first_name", type: "string", required: true, description: "The first name." },
  { name: "pens", type: "list", example: [{ title: "Blue", price: 3 }] },
  { name: "names", type: "list", example: ["Ada"] },
];
const language: TemplateLanguage = {
  tags: ["if", "endif"],
  filters: [feature("upper"), feature("join")],
  tests: [feature("defined"), feature("odd")],
  variables: [{ name: "locale", type: "string" }],
};

async function completed(
  before: string,
  after = "",
  syntax: "html" | "text" = "html",
): Promise<Completion[]> {
  const extensions = [templateLanguage(syntax), vocabulary.of({ variables, templateLanguage: language })];
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

describe.each(["html", "text"] as const)("in %s", (syntax) => {
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
      (await labels(before, after, syntax)).filter((label) => label !== "pen" || found.includes(label)),
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
    expect(await labels(before, after, syntax)).toEqual([]);
  });
});

describe("HTML", () => {
  it("has its own completions, and those of Jinja in an attribute's braces", async () => {
    expect(await labels("<tab", ">")).toContain("table");
    expect(await labels("<td bg", ">")).toEqual([]);
    expect(await labels("<td alig", ">")).toEqual([]);
    expect(await labels("<a hre", ">")).toContain("href");
    expect(await labels('<a href="{{ fi', ' }}">x</a>')).toEqual(["first_name"]);
  });
});

it("describes variables and filters", async () => {
  const [found] = await completed("{{ fi", " }}");
  expect(found).toMatchObject({ detail: "string, required", info: "The first name." });
  const [filter] = await completed("{{ first_name | up", " }}");
  expect(filter?.info).toBe("What upper does. x upper");
});
