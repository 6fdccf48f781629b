import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab, isolateHistory } from "@codemirror/commands";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from "@codemirror/language";
import { lintGutter, lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import {
  Annotation,
  type ChangeSpec,
  Compartment,
  EditorState,
  type Extension,
  Prec,
} from "@codemirror/state";
import {
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  type KeyBinding,
  keymap,
  lineNumbers,
  showPanel,
} from "@codemirror/view";
import { type Vocabulary, vocabulary } from "./completions";
import { toggle } from "./formats";
import { templateLanguage } from "./language";
import { theme } from "./theme";

interface BaseOptions {
  language: "html" | "text";
  singleLine: boolean;
  formats: boolean;
  onSave(): void;
}

const HELP = "Tab indents. Press Escape, then Tab to leave the editor.";
/** Marks changes that the user did not make. */
const programmatic = Annotation.define<true>();
const contextCompartment = new Compartment();

export const FORMAT_KEYS = { bold: "Mod-b", italic: "Mod-i", link: "Mod-k" } as const;

/** Everything that does not change while an editor is open; `context` is the rest. */
export function baseExtensions({ language, singleLine, formats, onSave }: BaseOptions): Extension {
  return [
    Prec.high(keymap.of([{ key: "Mod-s", preventDefault: true, run: () => onSave() ?? true }])),
    formats ? Prec.high(keymap.of(formatKeys())) : [],
    singleLine ? SINGLE_LINE : MULTI_LINE,
    history(),
    bracketMatching(),
    closeBrackets(),
    autocompletion({ icons: false }),
    lintGutter(),
    EditorView.lineWrapping,
    templateLanguage(language),
    replaceSelectionOnInput,
    keymap.of([
      ...closeBracketsKeymap,
      ...historyKeymap,
      ...completionKeymap,
      ...lintKeymap,
      ...defaultKeymap,
    ]),
    theme,
  ];
}

/**
 * Typing over a selection. Chromium would preserve the style of the old text with an inline style, which the Content
 * Security Policy blocks.
 */
const replaceSelectionOnInput = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { from, to, empty } = view.state.selection.main;
    if (event.inputType !== "insertText" || event.data === null || empty || view.composing) return false;
    const text = event.data;
    const insert = () => view.state.update(view.state.replaceSelection(text), { userEvent: "input.type" });
    const handlers = view.state.facet(EditorView.inputHandler);
    if (!handlers.some((handle) => handle(view, from, to, text, insert))) view.dispatch(insert());
    return true;
  },
});

function formatKeys(): KeyBinding[] {
  return Object.entries(FORMAT_KEYS).map(([format, key]) => ({
    key,
    preventDefault: true,
    run: toggle(format as keyof typeof FORMAT_KEYS),
  }));
}

const MULTI_LINE: Extension = [
  lineNumbers(),
  foldGutter(),
  highlightActiveLine(),
  highlightActiveLineGutter(),
  highlightSelectionMatches(),
  indentOnInput(),
  indentUnit.of("  "),
  search({ top: true }),
  keymap.of([...searchKeymap, ...foldKeymap, indentWithTab]),
  showPanel.of(help),
  EditorView.editorAttributes.of({ class: "cm-tall" }),
  EditorView.contentAttributes.of({ "aria-describedby": "help" }),
];

const ignore = () => true;

const SINGLE_LINE: Extension = [
  keymap.of([
    { key: "Enter", run: ignore, shift: ignore },
    { key: "Mod-Enter", run: ignore },
  ]),
  EditorState.transactionFilter.of((tr) => {
    if (!tr.docChanged || tr.annotation(programmatic)) return tr;
    const changes: ChangeSpec[] = [];
    tr.changes.iterChanges((_fromA, _toA, from, to, inserted) => {
      if (inserted.lines > 1) changes.push({ from, to, insert: joinLines(inserted.toString()) });
    });
    return changes.length > 0 ? [tr, { changes, sequential: true }] : tr;
  }),
  EditorView.editorAttributes.of({ class: "cm-single" }),
  EditorView.contentAttributes.of({ "aria-multiline": "false" }),
];

function joinLines(lines: string): string {
  return lines.trim().replace(/\s*\n\s*/g, " ");
}

function help() {
  const dom = document.createElement("div");
  dom.id = "help";
  dom.className = "cm-help";
  dom.textContent = HELP;
  return { dom };
}

/** What can change while an editor is open: its accessible name and its completions. */
export function context(label: string, names: Vocabulary): Extension {
  return contextCompartment.of(contextExtensions(label, names));
}

/** The effect that changes the context of an open editor. */
export function setContext(label: string, names: Vocabulary) {
  return contextCompartment.reconfigure(contextExtensions(label, names));
}

function contextExtensions(label: string, names: Vocabulary): Extension {
  return [vocabulary.of(names), EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" })];
}

/** Report the text after each change of the user's; changes by `replaceText` are not reported. */
export function onUserChange(onChange: (text: string) => void): Extension {
  return EditorView.updateListener.of(({ docChanged, transactions, state }) => {
    if (docChanged && transactions.some((tr) => tr.docChanged && !tr.annotation(programmatic))) {
      onChange(textOf(state));
    }
  });
}

let latest: { doc: EditorState["doc"]; text: string } | undefined;

/** A document as a string. The latest one is cached, since a template can have 250 KB. */
export function textOf({ doc }: EditorState): string {
  if (latest?.doc !== doc) latest = { doc, text: doc.toString() };
  return latest.text;
}

/** The change to another text, limited to what differs so that cursor and folds stay. One step for undo. */
export function replaceText(state: EditorState, text: string) {
  const before = textOf(state);
  let start = 0;
  while (start < Math.min(before.length, text.length) && before[start] === text[start]) start++;
  let end = 0;
  const most = Math.min(before.length, text.length) - start;
  while (end < most && before[before.length - 1 - end] === text[text.length - 1 - end]) end++;
  return state.update({
    changes: { from: start, to: before.length - end, insert: text.slice(start, text.length - end) },
    annotations: [programmatic.of(true), isolateHistory.of("full")],
  });
}
