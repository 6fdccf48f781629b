/** About as much of a mail as an inbox has room for. */
const LINE = 140;

/** What an inbox shows beside the subject: the first words of the mail, which are the preheader where there is one. */
export function firstWords(html: string): string {
  const template = document.createElement("template");
  // The page's policy takes offence at a style even where nothing has one.
  template.innerHTML = html
    .replace(/<(style|title)\b[\s\S]*?<\/\1\s*>/gi, "")
    .replace(/\sstyle\s*=/gi, " data-style=");
  const words = template.content.textContent ?? "";
  // What keeps an inbox from going on with the text after the preheader is invisible.
  const [line = ""] = words
    .replace(/\s*(?:[\u034f\u200b-\u200d\ufeff\u00ad]\s*){3,}/g, "\n\0")
    .trim()
    .split("\0");
  return line.replace(/\s+/g, " ").trim().slice(0, LINE);
}

/** The name in a From header, else the address. */
export function nameOf(sender: string): string {
  return (
    sender
      .replace(/<[^>]*>\s*$/, "")
      .replace(/^\s*"|"\s*$/g, "")
      .trim() || sender.replace(/[<>]/g, "")
  );
}
