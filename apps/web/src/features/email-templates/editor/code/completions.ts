import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { Facet, type Text } from "@codemirror/state";
import type { TemplateLanguage, TemplateVariable } from "@/client/types.gen";

/** What can be completed: the template's own variables, and the template language. */
export interface Vocabulary {
  variables: TemplateVariable[];
  templateLanguage: TemplateLanguage;
}

const EMPTY: Vocabulary = {
  variables: [],
  templateLanguage: { tags: [], filters: [], tests: [], variables: [] },
};

export const vocabulary = Facet.define<Vocabulary, Vocabulary>({ combine: ([given]) => given ?? EMPTY });

/** A longer tag gets no completions. */
const MAX_TAG_LENGTH = 1000;
const LOOP_TAGS = /\{%-?\s*(?:for\s+(\w+)\s+in\s+(\w+(?:\.\w+)?)[^%]*|endfor\s*)-?%\}/g;
const LOOP_FIELDS: Completion[] = [
  { label: "index", type: "property", info: "The number of this iteration, from 1." },
  { label: "index0", type: "property", info: "The number of this iteration, from 0." },
  { label: "first", type: "property", info: "Whether this is the first iteration." },
  { label: "last", type: "property", info: "Whether this is the last iteration." },
  { label: "length", type: "property", info: "The number of iterations." },
  { label: "revindex", type: "property", info: "The number of iterations left, including this one." },
];

/** Completes what is in Jinja's braces: tags, variables, their fields, filters and tests. */
export function completeTemplate(context: CompletionContext): CompletionResult | null {
  const { state, pos, explicit } = context;
  const tag = openTag(state.sliceDoc(Math.max(0, pos - MAX_TAG_LENGTH), pos));
  if (tag === null) return null;
  const typed = /\w*$/.exec(tag.inside)?.[0] ?? "";
  const before = tag.inside.slice(0, tag.inside.length - typed.length);
  if (!explicit && typed === "" && !/(?:^|[\s|.(])$/.test(before)) return null;
  const options = completionsAfter(
    before,
    tag.statement,
    () => loopsAround(state.doc, pos),
    state.facet(vocabulary),
  );
  return options.length > 0 ? { from: pos - typed.length, options, validFor: /^\w*$/ } : null;
}

/** The tag that is open at the end of a text; null outside of tags and inside a string. */
function openTag(text: string): { statement: boolean; inside: string } | null {
  const at = Math.max(text.lastIndexOf("{{"), text.lastIndexOf("{%"));
  if (at < 0) return null;
  const statement = text.charAt(at + 1) === "%";
  const inside = text.slice(at + 2).replace(/^-/, "");
  const unquoted = inside.replace(/"[^"]*"|'[^']*'/g, "");
  return unquoted.includes(statement ? "%}" : "}}") || /["']/.test(unquoted) ? null : { statement, inside };
}

interface Loop {
  item: string;
  list: string;
}

function completionsAfter(
  before: string,
  statement: boolean,
  loops: () => Loop[],
  { variables, templateLanguage }: Vocabulary,
): Completion[] {
  if (statement && /^\s*$/.test(before)) {
    return templateLanguage.tags.map((label) => ({ label, type: "keyword" }));
  }
  if (statement && /^\s*(?:for(?:\s+\w+)?|else|endif|endfor)\s+$/.test(before)) return [];
  if (/\|\s*$/.test(before)) return templateLanguage.filters.map(featureCompletion);
  if (/\bis\s+(?:not\s+)?$/.test(before)) return templateLanguage.tests.map(featureCompletion);
  const owner = /(\w+)\.$/.exec(before)?.[1];
  if (owner !== undefined) return fieldCompletions(owner, loops(), variables);
  if (before.endsWith(".")) return [];
  const open = loops();
  return [
    ...open.map(({ item, list }) => ({ label: item, type: "variable", detail: `from ${list}`, boost: 1 })),
    ...(open.length > 0 ? [{ label: "loop", type: "variable", detail: "current loop" }] : []),
    ...[...variables, ...templateLanguage.variables].map(variableCompletion),
  ];
}

type Feature = TemplateLanguage["filters"][number];

function featureCompletion({ name, description, example }: Feature): Completion {
  return { label: name, type: "function", info: `${description} ${example}` };
}

function variableCompletion({ name, type, required, description }: TemplateVariable): Completion {
  const detail = `${type ?? "string"}${required ? ", required" : ""}`;
  return { label: name, type: "variable", detail, ...(description ? { info: description } : {}) };
}

/** The fields of a list's items, taken from the first item of its example. */
function fieldCompletions(owner: string, loops: Loop[], variables: TemplateVariable[]): Completion[] {
  if (owner === "loop") return loops.length > 0 ? LOOP_FIELDS : [];
  const list = loops.find(({ item }) => item === owner)?.list;
  const example = variables.find(({ name }) => name === list)?.example;
  const item: unknown = Array.isArray(example) ? example[0] : undefined;
  if (typeof item !== "object" || item === null || Array.isArray(item)) return [];
  return Object.entries(item).map(([label, value]) => ({
    label,
    type: "property",
    detail: typeof value,
    info: `Example: ${String(value)}`,
  }));
}

/** The loops around an offset, innermost first. */
function loopsAround(doc: Text, pos: number): Loop[] {
  const loops: Loop[] = [];
  for (const [, item, list] of doc.sliceString(0, pos).matchAll(LOOP_TAGS)) {
    if (item !== undefined && list !== undefined) loops.unshift({ item, list });
    else loops.shift();
  }
  return loops;
}
