import { ensureSyntaxTree, syntaxTree } from "@codemirror/language";
import type { EditorState } from "@codemirror/state";

type SyntaxTree = ReturnType<typeof syntaxTree>;
export type SyntaxNode = SyntaxTree["topNode"];

export interface Span {
  from: number;
  to: number;
}

const MARKUP = new Set(["OpenTag", "CloseTag", "SelfClosingTag", "Comment", "Interpolation", "Tag"]);
/** How long a command may wait for the parser, which only a template near the maximum size needs. */
const PARSE_TIMEOUT_MS = 1000;

/** The syntax tree of the whole document: in one that ends early, the tags of the last elements are cut. */
function fullTree(state: EditorState): SyntaxTree {
  return ensureSyntaxTree(state, state.doc.length, PARSE_TIMEOUT_MS) ?? syntaxTree(state);
}

/** All nodes around an offset, those of HTML and of Jinja, smallest first. */
function nodesAround(tree: SyntaxTree, pos: number, side: -1 | 0 | 1): SyntaxNode[] {
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

/** A condition on an element's name and opening tag. */
export type Accepts = (name: string, openTag: string) => boolean;

/** The smallest element that contains a span and is accepted. */
export function elementAround(state: EditorState, span: Span, accepts: Accepts): SyntaxNode | undefined {
  return elementsAround(fullTree(state), span).find((each) =>
    accepts(nameOf(state, each), openTag(state, each)),
  );
}

/** The tests that some element around a span passes. Uses what is already parsed, since it runs at every keystroke. */
export function acceptedAround<Name extends string>(
  state: EditorState,
  span: Span,
  tests: Record<Name, Accepts>,
): Name[] {
  const found = elementsAround(syntaxTree(state), span).map(
    (each) => [nameOf(state, each), openTag(state, each)] as const,
  );
  return (Object.keys(tests) as Name[]).filter((name) => found.some((each) => tests[name](...each)));
}

function elementsAround(tree: SyntaxTree, { from, to }: Span): SyntaxNode[] {
  return nodesAround(tree, from, from === to ? 0 : 1).filter(
    (node) => node.name === "Element" && node.to >= to,
  );
}

function openTag(state: EditorState, element: SyntaxNode): string {
  const tag = element.firstChild;
  return tag ? state.sliceDoc(tag.from, tag.to) : "";
}

/** An element's name, in lower case. */
export function nameOf(state: EditorState, element: SyntaxNode): string {
  const name = element.firstChild?.getChild("TagName");
  return name ? state.sliceDoc(name.from, name.to).toLowerCase() : "";
}

/** Where an element's tags are; an unclosed element has only one. */
export function tagsOf(element: SyntaxNode): Span[] {
  const close = element.getChild("CloseTag");
  return [element.firstChild, close].flatMap((tag) => (tag ? [{ from: tag.from, to: tag.to }] : []));
}

/** The span between an element's tags. */
export function innerSpan(element: SyntaxNode): Span {
  const [open, close] = tagsOf(element);
  return { from: open?.to ?? element.from, to: close?.from ?? element.to };
}

/** Expand a span so that it splits no tag, no element and no Jinja block. */
export function expandToWhole(state: EditorState, { from, to }: Span): Span {
  const tree = fullTree(state);
  for (const pos of [from, to]) {
    const cut = nodesAround(tree, pos, 0).find(
      (node) => node.from < pos && pos < node.to && isSplitBy(node, { from, to }),
    );
    if (cut) return expandToWhole(state, { from: Math.min(from, cut.from), to: Math.max(to, cut.to) });
  }
  return { from, to };
}

function isSplitBy(node: SyntaxNode, { from, to }: Span): boolean {
  if (MARKUP.has(node.name)) return true;
  const contains = node.from <= from && to <= node.to;
  return !contains && (node.name === "Element" || node.name.endsWith("Statement"));
}
