/** Reads a text from the address, where the router has made numbers of what looks like one; undefined: there is none. */
export function textParam(value: unknown, longest = 254): string | undefined {
  const text = typeof value === "string" || typeof value === "number" ? String(value).trim() : "";
  return text && text.length <= longest ? text : undefined;
}

/** Reads one of a few words from the address. */
export function wordParam<Word extends string>(value: unknown, words: readonly Word[]): Word | undefined {
  return words.find((word) => word === value);
}

/** Reads the id of a message from the address. */
export function idParam(value: unknown): string | undefined {
  return typeof value === "string" && /^[\da-f-]{36}$/.test(value) ? value : undefined;
}

/** Reads the key of a template from the address. */
export function keyParam(value: unknown): string | undefined {
  return typeof value === "string" && TEMPLATE_KEY.test(value) ? value : undefined;
}

/** What the service takes as the key of a template. */
export const TEMPLATE_KEY = /^[a-z][a-z0-9-]{0,62}$/;

/** What the service takes as a language: en, de, fr-CA. */
export const LOCALE = /^[a-z]{2,3}(-([A-Z]{2}|[A-Z][a-z]{3}))?$/;

/** Reads a language from the address. */
export function localeParam(value: unknown): string | undefined {
  return typeof value === "string" && LOCALE.test(value) ? value : undefined;
}
