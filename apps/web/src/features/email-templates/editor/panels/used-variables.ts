import { PARTS, type TemplateContent } from "../draft/content";

const TAGS = /\{[{%][\s\S]*?[%}]\}/g;
const STRINGS = /"[^"]*"|'[^']*'/g;
/** A name that is not an attribute of another one. */
const NAMES = /(?<![\w.])[a-z_]\w*/g;

/** The names in the template's tags. Keywords and filters are among them; what a name means is the server's to say. */
export function namesUsedIn(content: TemplateContent): Set<string> {
  const tags = PARTS.map((part) => content[part] ?? "")
    .join("\n")
    .match(TAGS);
  return new Set((tags ?? []).join("\n").replace(STRINGS, "").match(NAMES));
}
