import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { Facet, type Text } from "@codemirror/state";
import type { LanguageWord, TemplateLanguage, TemplateVariable } from "@/client/types.gen";

/** What may be written in this template: its own variables, and what the service's language has. */
export interface Vocabulary {
  variables: TemplateVariable[];
  grammar: TemplateLanguage;
}

const NOTHING: Vocabulary = { variables: [], grammar: { tags: [], filters: [], tests: [], variables: [] } };

export const vocabulary = Facet.define<Vocabulary, Vocabulary>({ combine: ([given]) => given ?? NOTHING });

// A tag that is longer than this gets no completions.
const REACH = 1000;
const FOR = /\{%-?\s*(?:for\s+(\w+)\s+in\s+(\w+(?:\.\w+)?)[^%]*|endfor\s*)-?%\}/g;
const LOOP: Completion[] = [
  { label: "index", type: "property", info: "The number of this round, from 1." },
  { label: "index0", type: "property", info: "The number of this round, from 0." },
  { label: "first", type: "property", info: "Whether this is the first round." },
  { label: "last", type: "property", info: "Whether this is the last round." },
  { label: "length", type: "property", info: "How many rounds there are." },
  { label: "revindex", type: "property", info: "How many rounds are left, with this one." },
];

/** Completes the words between Jinja's braces: tags, variables, their fields, filters and tests. */
export function completeTemplate(context: CompletionContext): CompletionResult | null {
  const { state, pos, explicit } = context;
  const tag = openTag(state.sliceDoc(Math.max(0, pos - REACH), pos));
  if (tag === null) return null;
  const word = /\w*$/.exec(tag.inside)?.[0] ?? "";
  const before = tag.inside.slice(0, tag.inside.length - word.length);
  if (!explicit && word === "" && !/(?:^|[\s|.(])$/.test(before)) return null;
  const options = completionsAfter(
    before,
    tag.statement,
    () => loopsAround(state.doc, pos),
    state.facet(vocabulary),
  );
  return options.length > 0 ? { from: pos - word.length, options, validFor: /^\w*$/ } : null;
}

/** What stands between the braces that are open at the end of a text; null outside of them and inside a quote. */
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
  { variables, grammar }: Vocabulary,
): Completion[] {
  if (statement && /^\s*$/.test(before)) return grammar.tags.map((label) => ({ label, type: "keyword" }));
  if (statement && /^\s*(?:for(?:\s+\w+)?|else|endif|endfor)\s+$/.test(before)) return [];
  if (/\|\s*$/.test(before)) return grammar.filters.map((each) => described(each, "function"));
  if (/\bis\s+(?:not\s+)?$/.test(before)) return grammar.tests.map((each) => described(each, "function"));
  const owner = /(\w+)\.$/.exec(before)?.[1];
  if (owner !== undefined) return fields(owner, loops(), variables);
  if (before.endsWith(".")) return [];
  const around = loops();
  return [
    ...around.map(({ item, list }) => ({ label: item, type: "variable", detail: `from ${list}`, boost: 1 })),
    ...(around.length > 0 ? [{ label: "loop", type: "variable", detail: "this round" }] : []),
    ...[...variables, ...grammar.variables].map(variable),
  ];
}

function described({ name, description, example }: LanguageWord, type: string): Completion {
  return { label: name, type, info: `${description} ${example}` };
}

function variable({ name, type, required, description }: TemplateVariable): Completion {
  const detail = `${type ?? "string"}${required ? ", required" : ""}`;
  return { label: name, type: "variable", detail, ...(description ? { info: description } : {}) };
}

/** The fields of a list's item, as its declared example has them. */
function fields(owner: string, loops: Loop[], variables: TemplateVariable[]): Completion[] {
  if (owner === "loop") return loops.length > 0 ? LOOP : [];
  const list = loops.find(({ item }) => item === owner)?.list;
  const example = variables.find(({ name }) => name === list)?.example;
  const item: unknown = Array.isArray(example) ? example[0] : undefined;
  if (typeof item !== "object" || item === null || Array.isArray(item)) return [];
  return Object.entries(item).map(([label, value]) => ({
    label,
    type: "property",
    detail: typeof value,
    info: `For example ${String(value)}`,
  }));
}

/** The loops that a place stands in, the innermost first. */
function loopsAround(doc: Text, pos: number): Loop[] {
  const loops: Loop[] = [];
  for (const [, item, list] of doc.sliceString(0, pos).matchAll(FOR)) {
    if (item !== undefined && list !== undefined) loops.unshift({ item, list });
    else loops.shift();
  }
  return loops;
}
