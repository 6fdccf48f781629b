import {
  type ChangeSpec,
  EditorSelection,
  type EditorState,
  type SelectionRange,
  type StateCommand,
} from "@codemirror/state";
import { buttonHtml } from "../../button-html";
import {
  type Accepts,
  acceptedAround,
  elementAround,
  expandToWhole,
  innerSpan,
  nameOf,
  type Span,
  type SyntaxNode,
  tagsOf,
} from "./syntax";

/** What the toolbar adds to a selection, or removes from it. */
export type Format = "bold" | "italic" | "link" | "image" | "button" | "list";

const URL_PLACEHOLDER = "https://";
const WEB_URL = /^https?:\/\/\S+$/;
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

// These replace the paragraph around a range. Two ranges may share one, so only the main range is changed.
const BLOCKS: ReadonlySet<Format> = new Set(["button", "list"]);

/** The change to one range of the selection. */
interface Edit {
  changes: ChangeSpec;
  range: SelectionRange;
}

type Wrap = (state: EditorState, span: Span) => Edit;
type Unwrap = (state: EditorState, element: SyntaxNode, range: SelectionRange) => Edit;

const COMMANDS: Record<Format, { wrap: Wrap; unwrap: Unwrap }> = {
  bold: { wrap: wrapIn("<strong>", "</strong>"), unwrap: removeTags },
  italic: { wrap: wrapIn("<em>", "</em>"), unwrap: removeTags },
  link: { wrap: toLink, unwrap: removeTags },
  image: { wrap: toImage, unwrap: imageToText },
  button: { wrap: toButton, unwrap: buttonToLink },
  list: { wrap: toList, unwrap: listToParagraphs },
};

/** Add a format to each selected range, or remove it where it is present. */
export function toggle(format: Format): StateCommand {
  return ({ state, dispatch }) => {
    if (state.readOnly) return false;
    const { wrap, unwrap } = COMMANDS[format];
    const edits = state.changeByRange((range) => {
      if (BLOCKS.has(format) && range !== state.selection.main) return { range };
      const element = elementAround(state, range, ACCEPTS[format]);
      return element ? unwrap(state, element, range) : wrap(state, expandToWhole(state, range));
    });
    dispatch(state.update(edits, { scrollIntoView: true, userEvent: "input.format" }));
    return true;
  };
}

/** The formats of the main selection. */
export function formatsAt(state: EditorState): Format[] {
  return acceptedAround(state, state.selection.main, ACCEPTS);
}

/** Replace the selection with a text, and move the cursor behind it. */
export function insertion(state: EditorState, text: string) {
  return state.update(state.replaceSelection(text), { scrollIntoView: true, userEvent: "input" });
}

function wrapIn(open: string, close: string): Wrap {
  return (_, { from, to }) => ({
    changes: [
      { from, insert: open },
      { from: to, insert: close },
    ],
    range: EditorSelection.range(from + open.length, to + open.length),
  });
}

function removeTags(state: EditorState, element: SyntaxNode, range: SelectionRange): Edit {
  const changes = state.changes(tagsOf(element));
  return { changes, range: range.map(changes) };
}

/** Replace a span with a text, and select a part of it. */
function replaceWith({ from, to }: Span, insert: string, select: string): Edit {
  const start = from + Math.max(insert.indexOf(select), 0);
  return { changes: { from, to, insert }, range: EditorSelection.range(start, start + select.length) };
}

function toLink(state: EditorState, span: Span): Edit {
  const text = state.sliceDoc(span.from, span.to);
  const url = WEB_URL.test(text) ? text : URL_PLACEHOLDER;
  return replaceWith(span, `<a href="${url}">${text}</a>`, url);
}

function toImage(state: EditorState, span: Span): Edit {
  const alt = state.sliceDoc(span.from, span.to).replace(/"/g, "&quot;");
  return replaceWith(span, `<img src="${URL_PLACEHOLDER}" alt="${alt}" width="518">`, URL_PLACEHOLDER);
}

function imageToText(state: EditorState, element: SyntaxNode): Edit {
  const alt = attribute(state.sliceDoc(element.from, element.to), "alt");
  return replaceWith(element, alt, alt);
}

function toButton(state: EditorState, span: Span): Edit {
  const outer = withParagraph(state, span);
  const text = content(state, outer, span);
  const [, url = URL_PLACEHOLDER, label = text || "Button"] =
    /^<a\s[^>]*href="([^"]*)"[^>]*>([\s\S]*)<\/a>$/.exec(text) ?? [];
  return replaceWith(outer, buttonHtml(url, label), url);
}

function buttonToLink(state: EditorState, element: SyntaxNode): Edit {
  const table = state.sliceDoc(element.from, element.to);
  const [, tag = "", label = ""] = /(<a\s[^>]*>)([\s\S]*?)<\/a>/.exec(table) ?? [];
  return replaceWith(element, `<p><a href="${attribute(tag, "href")}">${label}</a></p>`, label);
}

/** Turn each line or paragraph into an item. Lines that are only a Jinja tag stay as they are. */
function toList(state: EditorState, span: Span): Edit {
  const outer = withParagraph(state, span);
  const lines = content(state, outer, span)
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  const items = (lines.length > 0 ? lines : [""]).map((line) =>
    /^\{%.*%\}$/.test(line) ? line : `<li>${line.replace(/^<p(?:\s[^>]*)?>(.*)<\/p>$/, "$1")}</li>`,
  );
  const html = `<ul>\n${items.join("\n")}\n</ul>`;
  const end = outer.from + html.lastIndexOf("</li>");
  const cursor =
    lines.length > 1
      ? EditorSelection.range(outer.from, outer.from + html.length)
      : EditorSelection.cursor(end);
  return { changes: { from: outer.from, to: outer.to, insert: html }, range: cursor };
}

function listToParagraphs(state: EditorState, element: SyntaxNode, range: SelectionRange): Edit {
  const inner = innerSpan(element);
  const outer = tagsOf(element).map(({ from, to }) => ({
    from: from === element.from ? from : from - spaceBefore(state, from),
    to: to === inner.from ? to + spaceAfter(state, to) : to,
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

function spaceBefore(state: EditorState, pos: number): number {
  return /\s*$/.exec(state.sliceDoc(Math.max(0, pos - 100), pos))?.[0].length ?? 0;
}

function spaceAfter(state: EditorState, pos: number): number {
  return /^\s*/.exec(state.sliceDoc(pos, pos + 100))?.[0].length ?? 0;
}

/** The paragraph around a span that is all of its content, or the span: a paragraph cannot contain lists or tables. */
function withParagraph(state: EditorState, span: Span): Span {
  return elementAround(state, span, (name) => name === "p") ?? span;
}

/** The text of a span, or of the paragraph that replaced it in `withParagraph`, without the paragraph's tags. */
function content(state: EditorState, outer: Span, span: Span): string {
  const text = state.sliceDoc(outer.from, outer.to);
  if (outer === span) return text;
  return text.replace(/^<p(?:\s[^>]*)?>/i, "").replace(/<\/p>$/i, "");
}

function attribute(tag: string, name: string): string {
  return new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? "";
}
