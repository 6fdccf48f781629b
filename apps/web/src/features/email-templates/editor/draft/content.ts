import type { TemplateSource, TemplateVariable } from "@/client/types.gen";

/** The text parts of a template, in the order of their tabs. */
export const PARTS = ["subject", "preheader", "html", "text"] as const;

export type Part = (typeof PARTS)[number];

export const PART_NAMES: Record<Part, string> = {
  subject: "Subject",
  preheader: "Preheader",
  html: "HTML",
  text: "Text",
};

/** What the editor edits: the text parts and the declared variables. A `text` of null is generated from the HTML. */
export type TemplateContent = Required<TemplateSource>;

export const EMPTY_CONTENT: TemplateContent = {
  subject: "",
  preheader: "",
  html: "",
  text: null,
  variables: [],
};

/** The content of anything that has one: a draft, a version or a built-in template. */
export function contentOf(source: TemplateSource): TemplateContent {
  const { subject, preheader = "", html, text = null, variables = [] } = source;
  return { subject, preheader, html, text, variables };
}

export function isSameContent(one: TemplateContent, other: TemplateContent): boolean {
  return PARTS.every((part) => one[part] === other[part]) && hasSameVariables(one, other);
}

export function hasSameVariables(one: TemplateContent, other: TemplateContent): boolean {
  return describeVariables(one.variables) === describeVariables(other.variables);
}

/** The values of declared variables. Sample data outlives declarations, and the server rejects undeclared variables. */
export function declaredValues<T>(
  variables: TemplateVariable[],
  values: Record<string, T>,
): Record<string, T> {
  const names = new Set(variables.map(({ name }) => name));
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.has(name)));
}

/** The declarations as text, one line per variable, so that they can be compared like the other parts. */
export function describeVariables(variables: TemplateVariable[]): string {
  return variables
    .map(({ name, type = "string", required = true, example = null, description = "" }) => {
      const line = `${name}: ${type}, ${required ? "required" : "optional"}, example ${toJson(example)}`;
      return description ? `${line} — ${description}` : line;
    })
    .join("\n");
}

/** JSON with sorted keys: PostgreSQL's jsonb does not preserve the order of an object's members. */
function toJson(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([one], [other]) => (one < other ? -1 : 1)))
      : each,
  );
}
