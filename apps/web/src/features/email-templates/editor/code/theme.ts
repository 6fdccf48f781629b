import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const MONO = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace';

/** The background of selected text, light and dark. */
export const SELECTION = ["#c3e3d9", "#244a41"] as const;

/** Uses the design tokens of the pages, which the editor's shadow root inherits. They include the dark theme. */
const CHROME = EditorView.theme({
  "&": {
    color: "var(--color-ink)",
    backgroundColor: "var(--color-surface)",
    border: "1px solid var(--color-control)",
    borderRadius: "0.5rem",
    overflow: "hidden",
    fontSize: "0.875rem",
  },
  "&.cm-focused": { outline: "2px solid var(--color-brand)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: MONO, lineHeight: "1.75" },
  ".cm-content": { caretColor: "var(--color-ink)", padding: "0.5rem 0" },
  ".cm-line::selection, .cm-line ::selection": {
    backgroundColor: `light-dark(${SELECTION.join(", ")})`,
  },
  ".cm-activeLine, .cm-activeLineGutter": {
    backgroundColor: "color-mix(in srgb, var(--color-brand) 6%, transparent)",
  },
  ".cm-gutters": {
    backgroundColor: "var(--color-sunken)",
    color: "var(--color-muted)",
    borderRight: "1px solid var(--color-line)",
  },
  ".cm-foldGutter .cm-gutterElement": { cursor: "pointer", minWidth: "1.5rem", textAlign: "center" },
  ".cm-foldPlaceholder": {
    backgroundColor: "var(--color-sunken)",
    border: "1px solid var(--color-control)",
    color: "var(--color-ink)",
    padding: "0 0.5rem",
  },
  "&.cm-focused .cm-matchingBracket": {
    backgroundColor: "var(--color-brand-soft)",
    outline: "1px solid var(--color-brand)",
  },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "var(--color-danger-soft)" },
  ".cm-searchMatch": {
    backgroundColor: "var(--color-notice-soft)",
    outline: "1px solid var(--color-notice)",
  },
  ".cm-searchMatch-selected": { outline: "2px solid var(--color-notice)" },
  ".cm-selectionMatch": { backgroundColor: "var(--color-brand-soft)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--color-danger)" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--color-notice)" },
  "&.cm-single .cm-gutters": { borderRight: "none", backgroundColor: "transparent" },
  "&.cm-single .cm-content": { padding: "0.5rem 0" },
  "&.cm-single .cm-activeLine, &.cm-single .cm-activeLineGutter": { backgroundColor: "transparent" },
  "@media (forced-colors: active)": {
    ".cm-activeLine": { outline: "1px dotted" },
  },
  "&.cm-changes .cm-scroller": { maxHeight: "max(16rem, 70dvh)", overflow: "auto" },
  "&.cm-tall .cm-scroller": { minHeight: "16rem", maxHeight: "max(16rem, 70dvh)", overflow: "auto" },
});

/** The diff view. Differences are marked by more than their color. */
const DIFFERENCES = EditorView.theme({
  ".cm-deletedChunk, &.cm-merge-b .cm-changedLine, .cm-insertedLine": { color: "var(--color-ink)" },
  ".cm-deletedChunk": { backgroundColor: "var(--color-danger-soft)" },
  "&.cm-merge-b .cm-changedLine": { backgroundColor: "var(--color-brand-soft)" },
  ".cm-deletedChunk .cm-deletedText": {
    background: "none",
    textDecoration: "line-through 2px var(--color-danger)",
  },
  "&.cm-merge-b .cm-changedText": { background: "none", textDecoration: "underline 2px var(--color-brand)" },
  ".cm-deletedLineGutter": { background: "var(--color-danger)" },
  "&.cm-merge-b .cm-changedLineGutter": { background: "var(--color-brand)" },
});

const PANELS = EditorView.theme({
  ".cm-panels": { backgroundColor: "var(--color-sunken)", color: "var(--color-ink)", zIndex: "20" },
  ".cm-panels-top": { borderBottom: "1px solid var(--color-line)" },
  ".cm-panels-bottom": { borderTop: "1px solid var(--color-line)" },
  ".cm-help": { padding: "0.375rem 0.75rem", fontSize: "0.75rem", color: "var(--color-muted)" },
  ".cm-panel.cm-search": {
    display: "flex",
    flexWrap: "wrap",
    alignItems: "center",
    gap: "0.375rem",
    padding: "0.5rem 2.5rem 0.5rem 0.5rem",
    "& br": { flexBasis: "100%", content: '""' },
    "& label": {
      display: "inline-flex",
      alignItems: "center",
      gap: "0.25rem",
      minHeight: "1.75rem",
      fontSize: "0.8125rem",
    },
    "& input[type=checkbox]": {
      width: "1.125rem",
      height: "1.125rem",
      accentColor: "var(--color-brand)",
      margin: "0",
    },
    "& button[name=close]": {
      width: "2rem",
      height: "2rem",
      top: "0.375rem",
      right: "0.375rem",
      fontSize: "1.25rem",
    },
  },
  ".cm-textfield": {
    minHeight: "2rem",
    margin: "0",
    padding: "0 0.5rem",
    fontSize: "0.8125rem",
    minWidth: "0",
    color: "var(--color-ink)",
    backgroundColor: "var(--color-surface)",
    border: "1px solid var(--color-control)",
    borderRadius: "0.375rem",
  },
  ".cm-button": {
    minHeight: "2rem",
    margin: "0",
    padding: "0 0.625rem",
    fontSize: "0.8125rem",
    color: "var(--color-ink)",
    background: "var(--color-surface)",
    border: "1px solid var(--color-control)",
    borderRadius: "0.375rem",
    cursor: "pointer",
    "&:hover": { background: "var(--color-brand-soft)" },
    "&:active": { background: "var(--color-brand-soft)" },
  },
  ".cm-panel button, .cm-tooltip button": { color: "inherit", cursor: "pointer" },
  ".cm-panel :focus-visible": { outline: "2px solid var(--color-brand)", outlineOffset: "1px" },
  ".cm-panel.cm-panel-lint": {
    "& ul [aria-selected]": { backgroundColor: "var(--color-brand-soft)", color: "var(--color-ink)" },
    "& ul:focus [aria-selected]": { backgroundColor: "var(--color-brand-soft)", color: "var(--color-ink)" },
    "& button[name=close]": { width: "1.75rem", height: "1.75rem" },
  },
});

const TOOLTIPS = EditorView.theme({
  ".cm-tooltip": {
    backgroundColor: "var(--color-surface)",
    color: "var(--color-ink)",
    border: "1px solid var(--color-control)",
    borderRadius: "0.5rem",
    boxShadow: "var(--shadow-float)",
    overflow: "hidden",
    maxWidth: "min(26rem, 90vw)",
    zIndex: "30",
  },
  ".cm-tooltip.cm-tooltip-autocomplete": {
    "& > ul": { fontFamily: MONO, maxHeight: "16rem", maxWidth: "min(26rem, 90vw)" },
    "& > ul > li": { minHeight: "1.75rem", padding: "0.25rem 0.625rem", lineHeight: "1.25rem" },
    "& > ul > li[aria-selected]": { backgroundColor: "var(--color-brand)", color: "var(--color-on-brand)" },
    overflow: "visible",
  },
  ".cm-tooltip.cm-completionInfo": { padding: "0.5rem 0.75rem", maxWidth: "min(18rem, 90vw)" },
  ".cm-completionDetail": { fontStyle: "normal", opacity: "0.85" },
  ".cm-completionMatchedText": { textDecoration: "underline" },
  ".cm-diagnostic": { padding: "0.5rem 0.75rem" },
  ".cm-diagnostic-error": { borderLeft: "4px solid var(--color-danger)" },
  ".cm-diagnostic-warning": { borderLeft: "4px solid var(--color-notice)" },
  ".cm-diagnosticSource": { fontSize: "0.75rem", opacity: "1", color: "var(--color-muted)" },
});

/** The colors of the syntax, light and dark. */
export const SYNTAX = {
  tag: ["#0b4a7a", "#8cc4ff"],
  attribute: ["#7a3d00", "#f0b878"],
  string: ["#1d5c1d", "#a3d99a"],
  keyword: ["#8a1c6b", "#f5a3dc"],
  literal: ["#8f1d17", "#ffb0a8"],
  name: ["#5b2a9d", "#d0b8ff"],
  filter: ["#0b4a3e", "#7ad8c1"],
  comment: ["#48544f", "#aebbb6"],
} as const;

function color(name: keyof typeof SYNTAX): string {
  return `light-dark(${SYNTAX[name].join(", ")})`;
}

const HIGHLIGHTING = HighlightStyle.define([
  { tag: [tags.tagName, tags.angleBracket], color: color("tag") },
  { tag: tags.attributeName, color: color("attribute") },
  { tag: [tags.string, tags.attributeValue], color: color("string") },
  { tag: [tags.comment, tags.blockComment], color: color("comment"), fontStyle: "italic" },
  {
    tag: [tags.keyword, tags.controlKeyword, tags.operatorKeyword, tags.logicOperator],
    color: color("keyword"),
  },
  { tag: [tags.number, tags.bool, tags.character], color: color("literal") },
  { tag: [tags.variableName, tags.propertyName], color: color("name") },
  { tag: tags.special(tags.variableName), color: color("filter") },
  { tag: [tags.brace, tags.operator], color: color("keyword"), fontWeight: "600" },
  { tag: tags.invalid, textDecoration: "underline dotted" },
]);

export const theme: Extension = [CHROME, DIFFERENCES, PANELS, TOOLTIPS, syntaxHighlighting(HIGHLIGHTING)];

/** The shadow root to put an editor in. The Content Security Policy blocks its style elements, but not adopted sheets. */
export function shadowRootOf(host: HTMLElement): ShadowRoot {
  return host.shadowRoot ?? host.attachShadow({ mode: "open" });
}
