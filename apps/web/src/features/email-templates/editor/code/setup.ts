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

export interface Setup {
  language: "html" | "text";
  singleLine: boolean;
  formats: boolean;
  onSave(): void;
}

const HELP = "Tab indents. Escape, then Tab leaves the editor.";
const outside = Annotation.define<true>();
const given = new Compartment();

export const FORMAT_KEYS = { bold: "Mod-b", italic: "Mod-i", link: "Mod-k" } as const;

/** Everything an editor is made of, besides what changes with its props (see `named`). */
export function editing({ language, singleLine, formats, onSave }: Setup): Extension {
  return [
    Prec.high(keymap.of([{ key: "Mod-s", preventDefault: true, run: () => onSave() ?? true }])),
    formats ? Prec.high(keymap.of(formatKeys())) : [],
    singleLine ? ONE_LINE : MANY_LINES,
    history(),
    bracketMatching(),
    closeBrackets(),
    autocompletion({ icons: false }),
    lintGutter(),
    EditorView.lineWrapping,
    templateLanguage(language),
    typingOver,
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

/** What is typed over a selection: Chromium would keep the looks of the old text by a style, which the policy refuses. */
const typingOver = EditorView.domEventHandlers({
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

const MANY_LINES: Extension = [
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

const nothing = () => true;

const ONE_LINE: Extension = [
  keymap.of([
    { key: "Enter", run: nothing, shift: nothing },
    { key: "Mod-Enter", run: nothing },
  ]),
  EditorState.transactionFilter.of((tr) => {
    if (!tr.docChanged || tr.annotation(outside)) return tr;
    const changes: ChangeSpec[] = [];
    tr.changes.iterChanges((_fromA, _toA, from, to, inserted) => {
      if (inserted.lines > 1) changes.push({ from, to, insert: joined(inserted.toString()) });
    });
    return changes.length > 0 ? [tr, { changes, sequential: true }] : tr;
  }),
  EditorView.editorAttributes.of({ class: "cm-single" }),
  EditorView.contentAttributes.of({ "aria-multiline": "false" }),
];

function joined(lines: string): string {
  return lines.trim().replace(/\s*\n\s*/g, " ");
}

function help() {
  const dom = document.createElement("div");
  dom.id = "help";
  dom.className = "cm-help";
  dom.textContent = HELP;
  return { dom };
}

/** What changes while an editor is open: its accessible name and the words it completes. */
export function named(label: string, words: Vocabulary): Extension {
  return given.of(known(label, words));
}

/** The effect that renames an open editor and gives it other words, and touches nothing else. */
export function renamed(label: string, words: Vocabulary) {
  return given.reconfigure(known(label, words));
}

function known(label: string, words: Vocabulary): Extension {
  return [vocabulary.of(words), EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" })];
}

/** Reports each text that the person made; not what came by `replaceText`. */
export function reporting(onChange: (text: string) => void): Extension {
  return EditorView.updateListener.of(({ docChanged, transactions, state }) => {
    if (docChanged && transactions.some((tr) => tr.docChanged && !tr.annotation(outside))) {
      onChange(textOf(state));
    }
  });
}

let latest: { doc: EditorState["doc"]; text: string } | undefined;

/** A document as a string, made once for each: a template may have 250 KB. */
export function textOf({ doc }: EditorState): string {
  if (latest?.doc !== doc) latest = { doc, text: doc.toString() };
  return latest.text;
}

/** The change to another text, only where it differs, so that cursor and folds stay; one step for undo. */
export function replaceText(state: EditorState, text: string) {
  const before = textOf(state);
  let start = 0;
  while (start < Math.min(before.length, text.length) && before[start] === text[start]) start++;
  let end = 0;
  const most = Math.min(before.length, text.length) - start;
  while (end < most && before[before.length - 1 - end] === text[text.length - 1 - end]) end++;
  return state.update({
    changes: { from: start, to: before.length - end, insert: text.slice(start, text.length - end) },
    annotations: [outside.of(true), isolateHistory.of("full")],
  });
}
