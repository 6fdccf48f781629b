import type { Words } from "../draft/content";

const TAGS = /\{[{%][\s\S]*?[%}]\}/g;
const STRINGS = /"[^"]*"|'[^']*'/g;
/** A name that is no attribute of another. */
const NAMES = /(?<![\w.])[a-z_]\w*/g;

/** The names that the tags of a template's words hold; which of them mean what is for the service to say. */
export function namesIn({ subject, preheader, html, text }: Words): Set<string> {
  const tags = [subject, preheader, html, text ?? ""].join("\n").match(TAGS) ?? [];
  return new Set(tags.join("\n").replace(STRINGS, "").match(NAMES));
}
