import { ensureSyntaxTree, syntaxTree } from "@codemirror/language";
import type { EditorState } from "@codemirror/state";

type SyntaxTree = ReturnType<typeof syntaxTree>;
export type SyntaxNode = SyntaxTree["topNode"];

export interface Span {
  from: number;
  to: number;
}

const MARKUP = new Set(["OpenTag", "CloseTag", "SelfClosingTag", "Comment", "Interpolation", "Tag"]);
const PARSING_MS = 50;

/** The tree as far as it is needed here; in a long document the parser may still be on its way. */
function treeTo(state: EditorState, to: number): SyntaxTree {
  return ensureSyntaxTree(state, to, PARSING_MS) ?? syntaxTree(state);
}

/** All nodes around a place, the smallest first: those of the HTML and those of Jinja. */
function around(tree: SyntaxTree, pos: number, side: -1 | 0 | 1): SyntaxNode[] {
  const nodes: SyntaxNode[] = [];
  for (
    let at: ReturnType<SyntaxTree["resolveStack"]> | null = tree.resolveStack(pos, side);
    at;
    at = at.next
  ) {
    for (let node: SyntaxNode | null = at.node; node && nodes.at(-1) !== node; node = node.parent)
      nodes.push(node);
  }
  return nodes.sort((a, b) => a.to - a.from - (b.to - b.from));
}

/** Says whether an element is the one that is looked for, by its name and its opening tag. */
export type Accepts = (name: string, openTag: string) => boolean;

/** The smallest element around a range (or that is the range) that a test accepts. */
export function elementAround(state: EditorState, span: Span, accepts: Accepts): SyntaxNode | undefined {
  return elements(treeTo(state, span.to), span).find((each) =>
    accepts(nameOf(state, each), openTag(state, each)),
  );
}

/** Which of several tests some element around a range passes; by what is parsed already, for every keystroke asks. */
export function acceptedAround<Name extends string>(
  state: EditorState,
  span: Span,
  tests: Record<Name, Accepts>,
): Name[] {
  const found = elements(syntaxTree(state), span).map(
    (each) => [nameOf(state, each), openTag(state, each)] as const,
  );
  return (Object.keys(tests) as Name[]).filter((name) => found.some((each) => tests[name](...each)));
}

function elements(tree: SyntaxTree, { from, to }: Span): SyntaxNode[] {
  return around(tree, from, from === to ? 0 : 1).filter((node) => node.name === "Element" && node.to >= to);
}

function openTag(state: EditorState, element: SyntaxNode): string {
  const tag = element.firstChild;
  return tag ? state.sliceDoc(tag.from, tag.to) : "";
}

/** An element's name, in small letters. */
export function nameOf(state: EditorState, element: SyntaxNode): string {
  const name = element.firstChild?.getChild("TagName");
  return name ? state.sliceDoc(name.from, name.to).toLowerCase() : "";
}

/** Where an element's tags stand; an element that was never closed has one. */
export function tagsOf(element: SyntaxNode): Span[] {
  const close = element.getChild("CloseTag");
  return [element.firstChild, close].flatMap((tag) => (tag ? [{ from: tag.from, to: tag.to }] : []));
}

/** What stands between an element's tags. */
export function inside(element: SyntaxNode): Span {
  const [open, close] = tagsOf(element);
  return { from: open?.to ?? element.from, to: close?.from ?? element.to };
}

/** Grows a range until it cuts no tag in two, and holds each element and each block of Jinja whole or from within. */
export function whole(state: EditorState, { from, to }: Span): Span {
  const tree = treeTo(state, to);
  for (const pos of [from, to]) {
    const cut = around(tree, pos, 0).find(
      (node) => node.from < pos && pos < node.to && cuts(node, { from, to }),
    );
    if (cut) return whole(state, { from: Math.min(from, cut.from), to: Math.max(to, cut.to) });
  }
  return { from, to };
}

function cuts(node: SyntaxNode, { from, to }: Span): boolean {
  if (MARKUP.has(node.name)) return true;
  const holds = node.from <= from && to <= node.to;
  return !holds && (node.name === "Element" || node.name.endsWith("Statement"));
}
