import {
  type ChangeSpec,
  EditorSelection,
  type EditorState,
  type SelectionRange,
  type StateCommand,
} from "@codemirror/state";
import {
  type Accepts,
  acceptedAround,
  elementAround,
  inside,
  nameOf,
  type Span,
  type SyntaxNode,
  tagsOf,
  whole,
} from "./syntax";

/** What the toolbar puts around a selection, and takes away again. */
export type Format = "bold" | "italic" | "link" | "image" | "button" | "list";

const ADDRESS = "https://";
const WEB_ADDRESS = /^https?:\/\/\S+$/;
const IS_BUTTON = /\bclass\s*=\s*["']?[^"'>]*\bbutton(?=[\s"'>])/;
const IS_BUTTON_LINK = /\bclass\s*=\s*["']?[^"'>]*\bbutton-link\b/;

const ACCEPTS: Record<Format, Accepts> = {
  bold: (name) => name === "strong" || name === "b",
  italic: (name) => name === "em" || name === "i",
  link: (name, tag) => name === "a" && !IS_BUTTON_LINK.test(tag),
  image: (name) => name === "img",
  button: (name, tag) => name === "table" && IS_BUTTON.test(tag),
  list: (name) => name === "ul" || name === "ol",
};

// They take the paragraph around them away, so two ranges in one would be in each other's way: only the main one counts.
const BLOCKS: ReadonlySet<Format> = new Set(["button", "list"]);

/** What is to be done with one range of the selection. */
interface Edit {
  changes: ChangeSpec;
  range: SelectionRange;
}

type Wrap = (state: EditorState, span: Span) => Edit;
type Unwrap = (state: EditorState, element: SyntaxNode, range: SelectionRange) => Edit;

const HOW: Record<Format, { wrap: Wrap; unwrap: Unwrap }> = {
  bold: { wrap: between("<strong>", "</strong>"), unwrap: withoutTags },
  italic: { wrap: between("<em>", "</em>"), unwrap: withoutTags },
  link: { wrap: link, unwrap: withoutTags },
  image: { wrap: image, unwrap: imageText },
  button: { wrap: button, unwrap: buttonLink },
  list: { wrap: list, unwrap: paragraphs },
};

/** Puts a format around each selected range, or takes it away where it is. */
export function toggle(format: Format): StateCommand {
  return ({ state, dispatch }) => {
    if (state.readOnly) return false;
    const { wrap, unwrap } = HOW[format];
    const edits = state.changeByRange((range) => {
      if (BLOCKS.has(format) && range !== state.selection.main) return { range };
      const element = elementAround(state, range, ACCEPTS[format]);
      return element ? unwrap(state, element, range) : wrap(state, whole(state, range));
    });
    dispatch(state.update(edits, { scrollIntoView: true, userEvent: "input.format" }));
    return true;
  };
}

/** The formats that the main selection stands in. */
export function formatsAt(state: EditorState): Format[] {
  return acceptedAround(state, state.selection.main, ACCEPTS);
}

/** Puts a text in the place of the selection, and the cursor behind it. */
export function insertion(state: EditorState, text: string) {
  return state.update(state.replaceSelection(text), { scrollIntoView: true, userEvent: "input" });
}

function between(open: string, close: string): Wrap {
  return (_, { from, to }) => ({
    changes: [
      { from, insert: open },
      { from: to, insert: close },
    ],
    range: EditorSelection.range(from + open.length, to + open.length),
  });
}

function withoutTags(state: EditorState, element: SyntaxNode, range: SelectionRange): Edit {
  const changes = state.changes(tagsOf(element));
  return { changes, range: range.map(changes) };
}

/** Puts a text in the place of a span, with this part of it selected. */
function instead({ from, to }: Span, insert: string, select: string): Edit {
  const start = from + Math.max(insert.indexOf(select), 0);
  return { changes: { from, to, insert }, range: EditorSelection.range(start, start + select.length) };
}

function link(state: EditorState, span: Span): Edit {
  const words = state.sliceDoc(span.from, span.to);
  const address = WEB_ADDRESS.test(words) ? words : ADDRESS;
  return instead(span, `<a href="${address}">${words}</a>`, address);
}

function image(state: EditorState, span: Span): Edit {
  const alt = state.sliceDoc(span.from, span.to).replace(/"/g, "&quot;");
  return instead(span, `<img src="${ADDRESS}" alt="${alt}" width="518">`, ADDRESS);
}

function imageText(state: EditorState, element: SyntaxNode): Edit {
  const alt = attribute(state.sliceDoc(element.from, element.to), "alt");
  return instead(element, alt, alt);
}

/** The button of the built-in mails: a table, for Outlook gives a link no background and no space. */
function button(state: EditorState, span: Span): Edit {
  const place = withParagraph(state, span);
  const words = content(state, place, span);
  const [, address = ADDRESS, label = words || "Button"] =
    /^<a\s[^>]*href="([^"]*)"[^>]*>([\s\S]*)<\/a>$/.exec(words) ?? [];
  const made = `<table role="presentation" class="button" cellpadding="0" cellspacing="0" border="0">
<tbody><tr><td class="button-cell" bgcolor="#0f5c4d" align="center"><a class="button-link" href="${address}">${label}</a></td></tr></tbody>
</table>`;
  return instead(place, made, address);
}

function buttonLink(state: EditorState, element: SyntaxNode): Edit {
  const table = state.sliceDoc(element.from, element.to);
  const [, tag = "", label = ""] = /(<a\s[^>]*>)([\s\S]*?)<\/a>/.exec(table) ?? [];
  return instead(element, `<p><a href="${attribute(tag, "href")}">${label}</a></p>`, label);
}

/** Each line, or each paragraph, becomes an item; lines of Jinja's alone stay as they are. */
function list(state: EditorState, span: Span): Edit {
  const place = withParagraph(state, span);
  const lines = content(state, place, span)
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  const items = (lines.length > 0 ? lines : [""]).map((line) =>
    /^\{%.*%\}$/.test(line) ? line : `<li>${line.replace(/^<p(?:\s[^>]*)?>(.*)<\/p>$/, "$1")}</li>`,
  );
  const made = `<ul>\n${items.join("\n")}\n</ul>`;
  const end = place.from + made.lastIndexOf("</li>");
  const cursor =
    lines.length > 1
      ? EditorSelection.range(place.from, place.from + made.length)
      : EditorSelection.cursor(end);
  return { changes: { from: place.from, to: place.to, insert: made }, range: cursor };
}

function paragraphs(state: EditorState, element: SyntaxNode, range: SelectionRange): Edit {
  const within = inside(element);
  const outer = tagsOf(element).map(({ from, to }) => ({
    from: from === element.from ? from : from - blankBefore(state, from),
    to: to === within.from ? to + blankAfter(state, to) : to,
  }));
  const items = element.getChildren("Element").filter((child) => nameOf(state, child) === "li");
  const changes = state.changes([
    ...outer,
    ...items.flatMap((item) =>
      tagsOf(item).map((tag, index) => ({ ...tag, insert: index === 0 ? "<p>" : "</p>" })),
    ),
  ]);
  return { changes, range: range.map(changes) };
}

function blankBefore(state: EditorState, pos: number): number {
  return /\s*$/.exec(state.sliceDoc(Math.max(0, pos - 100), pos))?.[0].length ?? 0;
}

function blankAfter(state: EditorState, pos: number): number {
  return /^\s*/.exec(state.sliceDoc(pos, pos + 100))?.[0].length ?? 0;
}

/** A paragraph holds no list and no table: around words that are all of one, the paragraph goes. */
function withParagraph(state: EditorState, span: Span): Span {
  return elementAround(state, span, (name) => name === "p") ?? span;
}

function content(state: EditorState, place: Span, span: Span): string {
  const text = state.sliceDoc(place.from, place.to);
  if (place === span) return text;
  return text.replace(/^<p(?:\s[^>]*)?>/i, "").replace(/<\/p>$/i, "");
}

function attribute(tag: string, name: string): string {
  return new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? "";
}
