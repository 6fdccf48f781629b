import type { EmailTemplate, TemplateSource, TemplateVariable } from "@/client/types.gen";
import { PARTS, type Part, type Words } from "./content";

/** What a person edits: the words and, of a template of one's own, what it declares. */
export interface Copy extends Words {
  variables: TemplateVariable[];
}

/** What the service has, under the tag that names it. */
export interface Standing {
  copy: Copy;
  etag: string;
  origin: Origin;
}

/** Where words come from: of whom and since when, where that is known. */
export interface Origin {
  kind: "draft" | "published" | "builtin" | "nothing";
  version: number | null;
  by: string | null;
  at: string | null;
}

export function copyOf(source: TemplateSource): Copy {
  const { subject, preheader = "", html, text = null, variables = [] } = source;
  return { subject, preheader, html, text, variables };
}

/** Returns what an editor begins with: the draft, else what is published, else the built-in words, else nothing. */
export function standing(template: EmailTemplate): Standing {
  const words = template.draft ?? template.published ?? template.default;
  const blank = { subject: "", html: "", variables: template.variables };
  return { copy: copyOf(words ?? blank), etag: template.etag, origin: originOf(template) };
}

function originOf(template: EmailTemplate): Origin {
  const { draft, published } = template;
  if (draft) return { kind: "draft", version: null, by: draft.updated_by, at: draft.updated_at };
  if (published) {
    const { version, published_by: by, published_at: at } = published;
    return { kind: "published", version, by, at };
  }
  return { kind: template.default ? "builtin" : "nothing", version: null, by: null, at: null };
}

/** What people are sent by now, if this language has words of its own that are published or built in. */
export function sentNow(template: EmailTemplate): Copy | null {
  const words = template.published ?? (isWritten(template) ? template.default : null);
  return words && copyOf(words);
}

/** Tells whether the language has words of its own; a built-in template lends it those of another. */
export function isWritten({ locale, locales }: EmailTemplate): boolean {
  return locales.includes(locale);
}

export function same(one: Copy, other: Copy): boolean {
  return changedParts(one, other).length === 0 && !variablesDiffer(one, other);
}

export function changedParts(one: Words, other: Words): Part[] {
  return PARTS.filter((part) => one[part] !== other[part]);
}

export function variablesDiffer(one: Copy, other: Copy): boolean {
  return declarations(one.variables) !== declarations(other.variables);
}

/** Returns what is declared as text, a line for each variable, so that it can be compared like words. */
export function declarations(variables: TemplateVariable[]): string {
  return variables
    .map(({ name, type = "string", required = true, example = null, description = "" }) => {
      const told = description ? ` — ${description}` : "";
      return `${name}: ${type}, ${required ? "required" : "optional"}, like ${asText(example)}${told}`;
    })
    .join("\n");
}

/** Writes a value of JSON; the service gives the members of an object in another order than it was given. */
function asText(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([one], [other]) => (one < other ? -1 : 1)))
      : each,
  );
}
