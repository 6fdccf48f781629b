export interface EmailLink {
  href: string;
  label: string;
}

const URLS = /https?:\/\/[^\s<>"']+/g;
/** Punctuation that ends a sentence rather than a URL. */
const TRAILING_PUNCTUATION = /[.,;:!?]+$/;

/** Returns the links in an email's HTML, each once. It is parsed in a `template` element, where nothing runs or loads. */
export function htmlLinks(html: string): EmailLink[] {
  const links = new Map<string, EmailLink>();
  const template = document.createElement("template");
  // The page's Content-Security-Policy reports styles even here.
  template.innerHTML = html.replace(/<style\b/gi, "<div").replace(/\sstyle\s*=/gi, " data-style=");
  for (const anchor of template.content.querySelectorAll("a[href]")) {
    const href = anchor.getAttribute("href")?.trim() ?? "";
    const label = anchor.textContent?.replace(/\s+/g, " ").trim() || href;
    if (/^(https?:\/\/|mailto:)/i.test(href) && !links.has(href)) links.set(href, { href, label });
  }
  return [...links.values()];
}

/** Splits a text at its URLs. The parts are in order; a URL has an `href`. */
export function splitAtUrls(text: string): { text: string; href?: string }[] {
  const parts: { text: string; href?: string }[] = [];
  let end = 0;
  for (const match of text.matchAll(URLS)) {
    const href = withoutPunctuation(match[0]);
    if (match.index > end) parts.push({ text: text.slice(end, match.index) });
    parts.push({ text: href, href });
    end = match.index + href.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

/** Removes what belongs to the sentence around a URL: "(https://a.example/b)." */
function withoutPunctuation(url: string): string {
  const trimmed = url.replace(TRAILING_PUNCTUATION, "");
  const unopened = trimmed.endsWith(")") && !trimmed.includes("(");
  return unopened ? withoutPunctuation(trimmed.slice(0, -1)) : trimmed;
}
