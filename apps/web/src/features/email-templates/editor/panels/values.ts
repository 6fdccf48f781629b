import type { TemplateVariable } from "@/client/types.gen";

export type VariableType = NonNullable<TemplateVariable["type"]>;
export const VARIABLE_TYPES: readonly VariableType[] = [
  "string",
  "number",
  "boolean",
  "date",
  "url",
  "link",
  "list",
];

type Parsed = { value: unknown } | { error: string };

/** Parse what was typed for a variable; null if nothing was. The server checks the rest. */
export function parseValue(type: VariableType, text: string): Parsed | null {
  return text.trim() === "" ? null : PARSERS[type](text);
}

/** A value as text that `parseValue` reads. */
export function formatValue(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string"
    ? value
    : JSON.stringify(value, null, Array.isArray(value) ? 2 : undefined);
}

/** Read an own property: variables may be named like members of Object.prototype. */
export function ownValue<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

const MAX_STRING = 20_000;
const MAX_NUMBER = 1e15;
const DATE = /^\d{4}-\d{2}-\d{2}([T ][\d:.]+(Z|[+-][\d:]+)?)?$/;
const LINK_START = /^https?:\/\/[^/]/i;
const URL_START = /^(https?:\/\/[^/]|mailto:[^@\s]+@)/i;

const PARSERS: Record<VariableType, (text: string) => Parsed> = {
  string: (text) =>
    text.length <= MAX_STRING ? { value: text } : { error: `Enter at most ${MAX_STRING} characters.` },
  number: (text) => {
    const value = Number(text);
    if (!Number.isFinite(value)) return { error: "Enter a number." };
    return Math.abs(value) < MAX_NUMBER ? { value } : { error: "Enter a number between -1e15 and 1e15." };
  },
  boolean: (text) =>
    text === "true" || text === "false" ? { value: text === "true" } : { error: "Enter true or false." },
  date: (text) => {
    const value = text.trim();
    const valid = DATE.test(value) && !Number.isNaN(Date.parse(value.replace(" ", "T")));
    return valid
      ? { value }
      : { error: "Enter a date such as 2026-01-31 or a time such as 2026-01-31T18:30:00Z." };
  },
  url: (text) => {
    const value = text.trim();
    const valid = URL.canParse(value) && URL_START.test(value);
    return valid ? { value } : { error: "Enter a URL that starts with https://, http:// or mailto:." };
  },
  link: (text) => {
    const value = text.trim();
    const valid = URL.canParse(value) && LINK_START.test(value);
    return valid ? { value } : { error: "Enter a URL that starts with https:// or http://." };
  },
  list: (text) => {
    try {
      const value: unknown = JSON.parse(text);
      return Array.isArray(value) ? { value } : { error: 'Enter a list, such as ["Tea", "Coffee"].' };
    } catch (error) {
      return { error: `Invalid JSON: ${error instanceof Error ? error.message : String(error)}` };
    }
  },
};
