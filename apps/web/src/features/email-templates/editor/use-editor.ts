import { createRef, useEffect, useState } from "react";
import type { EmailTemplate, JsonValue, TemplateDiagnostic } from "@/client/types.gen";
import { DEFAULT_PART, type EditorSearch, type Panel, type Show } from "../search-params";
import type { CodeEditorHandle } from "./code/code-editor";
import { PARTS, type Part } from "./draft/content";
import type { Copy } from "./draft/current-source";
import { useDesk } from "./draft/use-draft";
import { useSaving } from "./draft/use-saving";
import type { Handles } from "./part-editors";
import { usePreview } from "./preview/use-preview";
import { useEditorWishes } from "./use-part-action";
import { useWide } from "./use-wide";

/** What the editor of one template knows and can do. */
export function useEditor(template: EmailTemplate, userId: string, search: EditorSearch, onShow: Show) {
  const { desk, state } = useDesk(template, userId);
  const saving = useSaving(template, desk);
  const wide = useWide();
  const [samples, setSamples] = useState<Record<string, JsonValue>>(template.samples);
  const [handles] = useState(newHandles);
  const { key: templateKey, locale } = template;
  const declared = state.copy.variables;
  const checked = usePreview({ templateKey, locale, words: state.copy, declared, samples });
  const part = search.part ?? DEFAULT_PART;
  // A narrow screen shows one thing at a time, the words first.
  const panel: Panel | "edit" = search.panel ?? (wide ? "preview" : "edit");
  const inEditor = useEditorWishes(handles, wide || panel === "edit" ? part : null, (wished) =>
    onShow({ ...search, part: wished, panel: wide ? search.panel : undefined }),
  );

  const made = part === "text" && state.copy.text === null;
  const { tell } = saving;
  useEffect(() => {
    if (desk.stands(template)) tell("Somebody saved other words: they are shown now.");
  }, [desk, template, tell]);
  useReplacing(handles, state.copy, state.revision);

  return {
    ...saving,
    ...{ desk, state, wide, samples, setSamples, handles, checked, part, panel },
    problems: checked?.diagnostics ?? template.draft?.diagnostics ?? [],
    showPart: (shown: Part) => onShow({ ...search, part: shown }),
    showPanel: (shown: Panel | "edit") => onShow({ ...search, panel: shown === "edit" ? undefined : shown }),
    type: (change: Partial<Copy>) => {
      desk.type(change);
      tell("");
    },
    jump: (problem: TemplateDiagnostic) => {
      if (problem.part === "variables") onShow({ ...search, panel: "variables" });
      else inEditor(problem.part, (editor) => editor.jumpTo(problem.line, problem.column));
    },
    focus: () => {
      if (!made) inEditor(part, (editor) => editor.focus());
    },
    insert: (name: string) => {
      inEditor(made ? "html" : part, (editor) => editor.insert(`{{ ${name} }}`));
    },
  };
}

export type EditorState = ReturnType<typeof useEditor>;

function newHandles(): Handles {
  const handle = () => createRef<CodeEditorHandle>();
  return { subject: handle(), preheader: handle(), html: handle(), text: handle() };
}

/** Has the editors take over what was put on the desk. At first they have it already. */
function useReplacing(handles: Handles, copy: Copy, revision: number): void {
  const [replaced, setReplaced] = useState(revision);
  useEffect(() => {
    if (replaced === revision) return;
    for (const part of PARTS) handles[part].current?.replace(copy[part] ?? "");
    setReplaced(revision);
  }, [handles, copy, revision, replaced]);
}
