import { localeParam, textParam } from "@/lib/search-params";
import { PARTS, type Part } from "./editor/draft/content";

/** The language that a URL without `locale` means. */
export const DEFAULT_LOCALE = "en";
export const DEFAULT_PART: Part = "html";

/** What can be shown beside the content. On a narrow screen it takes the content's place. */
export const PANELS = ["preview", "variables", "samples", "languages", "copies"] as const;

export type Panel = (typeof PANELS)[number];

/** The query parameters of the list. */
export interface ListSearch {
  /** Part of a key or a name. */
  q?: string | undefined;
  /** The language whose state is listed. */
  locale?: string | undefined;
}

/** The query parameters of the editor. */
export interface EditorSearch {
  locale?: string | undefined;
  part?: Part | undefined;
  panel?: Panel | undefined;
}

/** Read the query parameters of the list; invalid values and defaults are left out. */
export function readListSearch({ q, locale }: Record<string, unknown>): ListSearch {
  return { q: textParam(q), locale: localeSearch(localeParam(locale)) };
}

/** Read the query parameters of the editor; invalid values and defaults are left out. */
export function readEditorSearch({ locale, part, panel }: Record<string, unknown>): EditorSearch {
  return {
    locale: localeSearch(localeParam(locale)),
    part: PARTS.find((each) => each === part && each !== DEFAULT_PART),
    panel: PANELS.find((each) => each === panel),
  };
}

/** The query parameter for a language: undefined for the default. */
export function localeSearch(locale: string | undefined): string | undefined {
  return locale === DEFAULT_LOCALE ? undefined : locale;
}
