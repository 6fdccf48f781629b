const names = new Intl.DisplayNames(["en"], { type: "language" });

/** What a language is called: "German" for "de", "Canadian French" for "fr-CA". */
export function languageName(code: string): string {
  return names.of(code) ?? code;
}
