import { PARTS, type Part } from "./editor/draft/content";

/** What is shown beside the words, or on a narrow screen instead of them. */
export const PANELS = ["preview", "variables", "samples", "languages", "aside"] as const;

export type Panel = (typeof PANELS)[number];

/** Where one is in the editor, as the address has it. */
export interface EditorSearch {
  locale?: string | undefined;
  part?: Part | undefined;
  panel?: Panel | undefined;
}

export type Show = (change: EditorSearch) => void;

export const LOCALE = /^[a-z]{2,3}(-([A-Z]{2}|[A-Z][a-z]{3}))?$/;
export const DEFAULT_LOCALE = "en";
export const DEFAULT_PART: Part = "html";

/** Reads an address, in which anybody can write anything; what is the default is left out. */
export function readSearch({ locale, part, panel }: Record<string, unknown>): EditorSearch {
  return {
    locale:
      typeof locale === "string" && LOCALE.test(locale) && locale !== DEFAULT_LOCALE ? locale : undefined,
    part: PARTS.find((each) => each === part && each !== DEFAULT_PART),
    panel: PANELS.find((each) => each === panel),
  };
}
