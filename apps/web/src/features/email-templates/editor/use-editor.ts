import { createRef, type RefObject, useCallback, useEffect, useState, useSyncExternalStore } from "react";
import type {
  EmailTemplate,
  JsonValue,
  TemplateDiagnostic,
  TemplateLanguage,
  User,
} from "@/client/types.gen";
import { DEFAULT_PART, type EditorSearch, type Panel } from "../search-params";
import type { CodeEditorHandle } from "./code/code-editor";
import type { DialogName } from "./dialogs/dialogs";
import { PARTS, type Part, type TemplateContent } from "./draft/content";
import { useDraft } from "./draft/use-draft";
import { usePreview } from "./preview/use-preview";

export interface EditorInput {
  template: EmailTemplate;
  language: TemplateLanguage;
  me: Pick<User, "id" | "email">;
  search: EditorSearch;
  onSearch: (search: EditorSearch) => void;
}

/** On a narrow screen the content is one of the panels. */
export type PanelOrEdit = Panel | "edit";

type CodeEditors = Record<Part, RefObject<CodeEditorHandle | null>>;

/** The state of the editor, and everything that its parts can do. */
export function useEditor({ template, language, me, search, onSearch }: EditorInput) {
  const [dialog, setDialog] = useState<DialogName | null>(null);
  const handleConflict = useCallback(() => setDialog("conflict"), []);
  const { draft, state, save, status, setStatus } = useDraft(template, me.id, handleConflict);
  const [samples, setSamples] = useState<Record<string, JsonValue>>(template.samples);
  const preview = usePreview({
    templateKey: template.key,
    locale: template.locale,
    content: state.content,
    samples,
  });

  const wide = useWideScreen();
  const part = search.part ?? DEFAULT_PART;
  const panel: PanelOrEdit = search.panel ?? (wide ? "preview" : "edit");
  const [codeEditors] = useState(createHandles);
  useReplacedContent(codeEditors, state.content, state.revision);
  const runInPart = usePartAction(codeEditors, wide || panel === "edit" ? part : null, (next) =>
    onSearch({ ...search, part: next, panel: wide ? search.panel : undefined }),
  );
  // There is no code editor for a text that is generated from the HTML.
  const editablePart = part === "text" && state.content.text === null ? null : part;

  return {
    ...{ template, language, me, draft, state, save, status, samples, setSamples },
    ...{ preview, wide, part, panel, codeEditors, dialog },
    problems: preview?.diagnostics ?? template.draft?.diagnostics ?? [],
    showPart: (next: Part) => onSearch({ ...search, part: next }),
    showPanel: (next: PanelOrEdit) => onSearch({ ...search, panel: next === "edit" ? undefined : next }),
    showLocale: (locale: string) =>
      // Local copies belong to one language.
      onSearch({ ...search, locale, panel: search.panel === "copies" ? undefined : search.panel }),
    /** Open a dialog. Those that work on the server's draft save first, and stay closed if that fails. */
    openDialog: async (name: DialogName) => {
      const savesFirst = name === "publish" || name === "test";
      if (!savesFirst || !draft.snapshot().dirty || (await save())) setDialog(name);
    },
    closeDialog: () => setDialog(null),
    edit: (change: Partial<TemplateContent>) => {
      draft.edit(change);
      setStatus("");
    },
    jumpTo: (problem: TemplateDiagnostic) => {
      if (problem.part === "variables") onSearch({ ...search, panel: "variables" });
      else runInPart(problem.part, (editor) => editor.jumpTo(problem.line, problem.column));
    },
    focusPart: () => {
      if (editablePart) runInPart(editablePart, (editor) => editor.focus());
    },
    insertVariable: (name: string) =>
      runInPart(editablePart ?? "html", (editor) => editor.insert(`{{ ${name} }}`)),
  };
}

export type EditorState = ReturnType<typeof useEditor>;

function createHandles(): CodeEditors {
  const handle = () => createRef<CodeEditorHandle>();
  return { subject: handle(), preheader: handle(), html: handle(), text: handle() };
}

/** Put content that the user did not type into the code editors. They start with the content of the first revision. */
function useReplacedContent(codeEditors: CodeEditors, content: TemplateContent, revision: number): void {
  const [shown, setShown] = useState(revision);
  useEffect(() => {
    if (shown === revision) return;
    for (const part of PARTS) codeEditors[part].current?.replace(content[part] ?? "");
    setShown(revision);
  }, [codeEditors, content, revision, shown]);
}

interface PartAction {
  part: Part;
  run: (editor: CodeEditorHandle) => void;
}

/**
 * Return a function that runs an action in the code editor of a part, after showing it if necessary. `visible` is the
 * part whose code editor is visible now, or null.
 */
function usePartAction(codeEditors: CodeEditors, visible: Part | null, show: (part: Part) => void) {
  const [pending, setPending] = useState<PartAction | null>(null);
  useEffect(() => {
    const editor = pending && pending.part === visible ? codeEditors[pending.part].current : null;
    if (!pending || !editor) return;
    setPending(null);
    pending.run(editor);
  }, [codeEditors, pending, visible]);
  return (part: Part, run: PartAction["run"]) => {
    setPending({ part, run });
    if (part !== visible) show(part);
  };
}

/** Whether there is room for the content and a panel side by side; the same breakpoint as Tailwind's `lg`. */
function useWideScreen(): boolean {
  return useSyncExternalStore(
    (listener) => {
      const query = wideScreen();
      query.addEventListener("change", listener);
      return () => query.removeEventListener("change", listener);
    },
    () => wideScreen().matches,
  );
}

const wideScreen = () => window.matchMedia("(min-width: 1024px)");
