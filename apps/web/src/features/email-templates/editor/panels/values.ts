import type { TemplateVariable } from "@/client/types.gen";

export type Type = NonNullable<TemplateVariable["type"]>;
export const TYPES: readonly Type[] = ["string", "number", "boolean", "date", "url", "list"];

/** What somebody typed: the value that it is, nothing, or why it is none. */
export type Typed = { value: unknown } | { problem: string } | null;

/** Reads what was typed for a variable. What can only be wrong as a whole is left to the service to say. */
export function read(type: Type, text: string): Typed {
  if (text.trim() === "") return null;
  const typed = READERS[type](text);
  return typeof typed === "string" ? { problem: typed } : typed;
}

/** How a value is written into a field. */
export function written(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string"
    ? value
    : JSON.stringify(value, null, Array.isArray(value) ? 2 : undefined);
}

/** A value of a record's own, where names are anybody's. */
export function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

const MAX_STRING = 20_000;
const MAX_NUMBER = 1e15;
const DATE = /^\d{4}-\d{2}-\d{2}([T ][\d:.]+(Z|[+-][\d:]+)?)?$/;

const READERS: Record<Type, (text: string) => { value: unknown } | string> = {
  string: (text) => (text.length <= MAX_STRING ? { value: text } : `Give at most ${MAX_STRING} characters.`),
  number: (text) => {
    const value = Number(text);
    if (!Number.isFinite(value)) return "Give a number.";
    return Math.abs(value) < MAX_NUMBER ? { value } : "Give a number between -1e15 and 1e15.";
  },
  boolean: (text) =>
    text === "true" || text === "false" ? { value: text === "true" } : "Give true or false.",
  date: (text) => {
    const value = text.trim();
    const known = DATE.test(value) && !Number.isNaN(Date.parse(value.replace(" ", "T")));
    return known ? { value } : "Give a date such as 2026-01-31, or a time such as 2026-01-31T18:30:00Z.";
  },
  url: (text) => {
    const value = text.trim();
    const known = URL.canParse(value) && /^(https?:\/\/[^/]|mailto:[^@\s]+@)/i.test(value);
    return known ? { value } : "Give an absolute address that begins with https://, http:// or mailto:.";
  },
  list: (text) => {
    try {
      const value: unknown = JSON.parse(text);
      return Array.isArray(value) ? { value } : 'Give a list, like ["Tea", "Coffee"].';
    } catch (error) {
      return `This is not JSON yet: ${error instanceof Error ? error.message : String(error)}`;
    }
  },
};
