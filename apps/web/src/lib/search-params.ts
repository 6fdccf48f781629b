/** Reads a text. The router has made a number of what looks like one. An empty or too long text counts as none. */
export function textParam(value: unknown, maxLength = 254): string | undefined {
  const text = typeof value === "string" || typeof value === "number" ? String(value).trim() : "";
  return text && text.length <= maxLength ? text : undefined;
}

/** Reads one of a few values. */
export function enumParam<Value extends string>(value: unknown, values: readonly Value[]): Value | undefined {
  return values.find((each) => each === value);
}

/** Reads an error code or a reason, such as `session_revoked`. */
export function codeParam(value: unknown): string | undefined {
  return typeof value === "string" && /^[a-z_]{1,40}$/.test(value) ? value : undefined;
}

/** Reads the path to return to after signing in; `safeRedirect` decides whether it may be used. */
export function redirectParam(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Reads the id of an email. */
export function idParam(value: unknown): string | undefined {
  return typeof value === "string" && /^[\da-f-]{36}$/.test(value) ? value : undefined;
}

/** Reads the key of a template. */
export function keyParam(value: unknown): string | undefined {
  return typeof value === "string" && TEMPLATE_KEY.test(value) ? value : undefined;
}

/** The keys of templates that the service accepts. */
export const TEMPLATE_KEY = /^[a-z][a-z0-9-]{0,62}$/;

/** The locales that the service accepts: en, de, fr-CA. */
export const LOCALE = /^[a-z]{2,3}(-([A-Z]{2}|[A-Z][a-z]{3}))?$/;

/** Reads a locale. */
export function localeParam(value: unknown): string | undefined {
  return typeof value === "string" && LOCALE.test(value) ? value : undefined;
}
