/** The parts of a template that hold words, in the order of their tabs. */
export const PARTS = ["subject", "preheader", "html", "text"] as const;

export type Part = (typeof PARTS)[number];

/** What a person types. `text` null is made from the HTML. */
export interface Words {
  subject: string;
  preheader: string;
  html: string;
  text: string | null;
}

export const PART_NAMES: Record<Part, string> = {
  subject: "Subject",
  preheader: "Preheader",
  html: "HTML",
  text: "Text",
};
