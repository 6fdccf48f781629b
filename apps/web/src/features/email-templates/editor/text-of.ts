const BREAKS = /<br\s*\/?>|<\/(?:p|div|h[1-6]|li|tr|table|ul|ol)>/gi;
const LINK = /<a\b[^>]*\bhref="([^"]*)"[^>]*>(.*?)<\/a>/gis;
const UNSEEN = /<!--.*?-->|<(style|head|script)\b.*?<\/\1>/gis;

/**
 * Returns what an HTML part says, as a text to go on with: a line for each block, links with where they lead. The
 * template's own tags and variables stay, unlike in a rendered text, which has somebody's values in it.
 */
export function textOf(html: string): string {
  const broken = html
    .replace(UNSEEN, "")
    .replace(/\s*\n\s*/g, " ")
    .replace(LINK, "$2: $1")
    .replace(BREAKS, "\n")
    .replace(/<\/?[a-z][^>]*>/gi, "");
  const lines = decoded(broken)
    .split("\n")
    .map((line) => line.trim());
  return `${lines.filter(Boolean).join("\n\n")}\n`;
}

function decoded(text: string): string {
  // No element is made of it: what is left of a tag is a text.
  const area = document.createElement("textarea");
  area.innerHTML = text;
  return area.value;
}
