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
import { offsetOf, toDiagnostics } from "./diagnostics";
import { type Format, formatsAt, insertion } from "./formats";
import { baseExtensions, context, onUserChange, replaceText, setContext, textOf } from "./setup";
import { shadowRootOf } from "./theme";
import { Toolbar } from "./toolbar";

export interface Findings {
  /** The text that the diagnostics are about. */
  text: string;
  diagnostics: TemplateDiagnostic[];
}

export interface CodeEditorHandle {
  text(): string;
  /** Replace the text. This is not reported to `onChange`, and is one step for undo. */
  replace(text: string): void;
  /** Replace the selection, in one step for undo, and take the focus. */
  insert(text: string): void;
  /** Move the cursor to a line and a column, both from 1, and take the focus. */
  jumpTo(line: number, column: number): void;
  focus(): void;
}

export interface CodeEditorProps {
  ref: Ref<CodeEditorHandle>;
  /** The accessible name. */
  label: string;
  /** The text to start with. Later changes of this prop are ignored. */
  initial: string;
  language: "html" | "text";
  /** Enter adds no line, and pasted lines are joined. */
  singleLine?: boolean;
  toolbar?: boolean;
  variables: TemplateVariable[];
  templateLanguage: TemplateLanguage;
  /** Shown while the text is still the one that they are about. */
  findings: Findings | null;
  onChange(text: string): void;
  onSave(): void;
}

/** A code editor for one part of a template. It is created once: no change of props loses text, cursor or undo. */
export function CodeEditor(props: CodeEditorProps) {
  const { ref, label, variables, templateLanguage, findings, toolbar } = props;
  const host = useRef<HTMLDivElement>(null);
  const toolbarElement = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<EditorView | null>(null);
  const [formats, setFormats] = useState("");
  const handleChange = useEffectEvent(props.onChange);
  const handleSave = useEffectEvent(props.onSave);
  const create = useEffectEvent((parent: ShadowRoot) => {
    const { initial, language, singleLine = false } = props;
    const extensions = [
      baseExtensions({ language, singleLine, formats: toolbar ?? false, onSave: () => handleSave() }),
      context(label, { variables, templateLanguage }),
      onUserChange((text) => handleChange(text)),
      toolbar ? toolbarSupport(setFormats, toolbarElement) : [],
    ];
    return new EditorView({ parent, state: EditorState.create({ doc: initial, extensions }) });
  });

  useLayoutEffect(() => {
    if (!host.current) return;
    const created = create(shadowRootOf(host.current));
    setView(created);
    return () => {
      created.destroy();
      setView(null);
    };
  }, []);

  useEffect(
    () => view?.dispatch({ effects: setContext(label, { variables, templateLanguage }) }),
    [view, label, variables, templateLanguage],
  );

  useEffect(() => {
    if (!view || (findings && findings.text !== textOf(view.state))) return;
    if (!findings && diagnosticCount(view.state) === 0) return;
    view.dispatch(setDiagnostics(view.state, toDiagnostics(view.state.doc, findings?.diagnostics ?? [])));
  }, [view, findings]);

  useImperativeHandle(ref, () => handleOf(view, props.initial), [view, props.initial]);

  return (
    <div className="min-w-0">
      {toolbar ? (
        <Toolbar
          ref={toolbarElement}
          view={view}
          formats={formats.split(" ") as Format[]}
          variables={[...variables, ...templateLanguage.variables]}
        />
      ) : null}
      <div ref={host} />
    </div>
  );
}

export default CodeEditor;

/** Report the formats of the selection, and scroll so that the sticky toolbar does not cover the cursor. */
function toolbarSupport(onFormats: (formats: string) => void, toolbar: { current: HTMLElement | null }) {
  return [
    EditorView.updateListener.of(({ docChanged, selectionSet, startState, state }) => {
      if (docChanged || selectionSet || syntaxTree(startState) !== syntaxTree(state))
        onFormats(formatsAt(state).join(" "));
    }),
    EditorView.scrollMargins.of((view) => {
      const end = toolbar.current?.getBoundingClientRect().bottom ?? 0;
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
      const anchor = view ? offsetOf(view.state.doc, line, column) : 0;
      view?.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
      view?.focus();
    },
    focus: () => view?.focus(),
  };
}
