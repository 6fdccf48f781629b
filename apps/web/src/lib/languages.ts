const names = new Intl.DisplayNames("en", { type: "language", fallback: "none" });

/** Returns the name of a language: "German" for de, "Canadian French" for fr-CA; for an unknown code, the code itself. */
export function languageName(locale: string): string {
  return names.of(locale) ?? locale;
}
