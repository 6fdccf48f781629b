import { syntaxTree } from "@codemirror/language";
import { diagnosticCount, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import {
  type Ref,
  useEffect,
  useEffectEvent,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import type { TemplateDiagnostic, TemplateLanguage, TemplateVariable } from "@/client/types.gen";
import { placed, position } from "./diagnostics";
import { type Format, formatsAt, insertion } from "./formats";
import { editing, named, renamed, replaceText, reporting, textOf } from "./setup";
import { shadowOf } from "./theme";
import { Toolbar } from "./toolbar";

export interface Findings {
  /** The text that these were found in. */
  text: string;
  diagnostics: TemplateDiagnostic[];
}

export interface CodeEditorHandle {
  text(): string;
  /** Another text from outside: not reported by `onChange`, and undone like any other change. */
  replace(text: string): void;
  /** Puts a text in the place of the selection, in one step for undo, and takes the focus. */
  insert(text: string): void;
  /** Goes to a line and a column, both from 1, and takes the focus. */
  jumpTo(line: number, column: number): void;
  focus(): void;
}

export interface CodeEditorProps {
  ref: Ref<CodeEditorHandle>;
  /** The accessible name. */
  label: string;
  /** Read once: from then on the editor has the text. */
  initial: string;
  language: "html" | "text";
  /** Enter makes no line, and pasted lines become one. */
  singleLine?: boolean;
  toolbar?: boolean;
  variables: TemplateVariable[];
  grammar: TemplateLanguage;
  /** Shown while the text is still the one they were found in. */
  findings: Findings | null;
  onChange(text: string): void;
  onSave(): void;
}

/** An editor for one part of a template; it is made once, and no change of its props loses text, cursor or undo. */
export function CodeEditor(props: CodeEditorProps) {
  const { ref, label, variables, grammar, findings, toolbar } = props;
  const host = useRef<HTMLDivElement>(null);
  const bar = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<EditorView | null>(null);
  const [formats, setFormats] = useState("");
  const changed = useEffectEvent(props.onChange);
  const saved = useEffectEvent(props.onSave);
  const create = useEffectEvent((parent: ShadowRoot) => {
    const { initial, language, singleLine = false } = props;
    const extensions = [
      editing({ language, singleLine, formats: toolbar ?? false, onSave: () => saved() }),
      named(label, { variables, grammar }),
      reporting((text) => changed(text)),
      toolbar ? showing(setFormats, bar) : [],
    ];
    return new EditorView({ parent, state: EditorState.create({ doc: initial, extensions }) });
  });

  useLayoutEffect(() => {
    if (!host.current) return;
    const created = create(shadowOf(host.current));
    setView(created);
    return () => {
      created.destroy();
      setView(null);
    };
  }, []);

  useEffect(
    () => view?.dispatch({ effects: renamed(label, { variables, grammar }) }),
    [view, label, variables, grammar],
  );

  useEffect(() => {
    if (!view || (findings && findings.text !== textOf(view.state))) return;
    if (!findings && diagnosticCount(view.state) === 0) return;
    view.dispatch(setDiagnostics(view.state, placed(view.state.doc, findings?.diagnostics ?? [])));
  }, [view, findings]);

  useImperativeHandle(ref, () => handleOf(view, props.initial), [view, props.initial]);

  return (
    <div className="min-w-0">
      {toolbar ? (
        <Toolbar
          ref={bar}
          view={view}
          formats={formats.split(" ") as Format[]}
          variables={[...variables, ...grammar.variables]}
        />
      ) : null}
      <div ref={host} />
    </div>
  );
}

export default CodeEditor;

/** Tells which formats the selection stands in, and keeps the cursor from under the toolbar, which may cover lines. */
function showing(tell: (formats: string) => void, bar: { current: HTMLElement | null }) {
  return [
    EditorView.updateListener.of(({ docChanged, selectionSet, startState, state }) => {
      if (docChanged || selectionSet || syntaxTree(startState) !== syntaxTree(state))
        tell(formatsAt(state).join(" "));
    }),
    EditorView.scrollMargins.of((view) => {
      const end = bar.current?.getBoundingClientRect().bottom ?? 0;
      return { top: Math.max(0, end - view.scrollDOM.getBoundingClientRect().top) };
    }),
  ];
}

function handleOf(view: EditorView | null, initial: string): CodeEditorHandle {
  return {
    text: () => (view ? textOf(view.state) : initial),
    replace(text) {
      if (view && textOf(view.state) !== text) view.dispatch(replaceText(view.state, text));
    },
    insert(text) {
      view?.dispatch(insertion(view.state, text));
      view?.focus();
    },
    jumpTo(line, column) {
      const anchor = view ? position(view.state.doc, line, column) : 0;
      view?.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
      view?.focus();
    },
    focus: () => view?.focus(),
  };
}
