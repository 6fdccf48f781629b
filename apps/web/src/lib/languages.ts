const names = new Intl.DisplayNames("en", { type: "language", fallback: "none" });

/** What a language is called: "German" for de, "Canadian French" for fr-CA; a code that no language has is its own name. */
export function languageName(locale: string): string {
  return names.of(locale) ?? locale;
}
