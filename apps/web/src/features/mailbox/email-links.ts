export interface FoundLink {
  href: string;
  label: string;
}

const ADDRESS = /https?:\/\/[^\s<>"']+/g;
/** What ends a sentence rather than an address. */
const AFTER = /[.,;:!?]+$/;

/** Finds the links of a mail's HTML, each once. Within a template nothing of it runs or is loaded. */
export function linksOf(html: string): FoundLink[] {
  const found = new Map<string, FoundLink>();
  const template = document.createElement("template");
  // The page's policy takes offence at a style even where nothing has one.
  template.innerHTML = html.replace(/<style\b/gi, "<div").replace(/\sstyle\s*=/gi, " data-style=");
  for (const anchor of template.content.querySelectorAll("a[href]")) {
    const href = anchor.getAttribute("href")?.trim() ?? "";
    const label = anchor.textContent?.replace(/\s+/g, " ").trim() || href;
    if (/^(https?:\/\/|mailto:)/i.test(href) && !found.has(href)) found.set(href, { href, label });
  }
  return [...found.values()];
}

/** Cuts a text into words and addresses, in order; an address has its `href`. */
export function withLinks(text: string): { text: string; href?: string }[] {
  const parts: { text: string; href?: string }[] = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const href = trimmed(match[0]);
    if (match.index > end) parts.push({ text: text.slice(end, match.index) });
    parts.push({ text: href, href });
    end = match.index + href.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

/** Without what belongs to the sentence around it: "(https://a.example/b)." */
function trimmed(address: string): string {
  const bare = address.replace(AFTER, "");
  const unopened = bare.endsWith(")") && !bare.includes("(");
  return unopened ? trimmed(bare.slice(0, -1)) : bare;
}
