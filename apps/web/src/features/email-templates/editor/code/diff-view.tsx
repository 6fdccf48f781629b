import { getChunks, goToNextChunk, goToPreviousChunk, unifiedMergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";
import { ChevronDown, ChevronUp } from "lucide-react";
import { useLayoutEffect, useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import { templateLanguage } from "./language";
import { shadowRootOf, theme } from "./theme";

export interface DiffViewProps {
  /** The accessible name. */
  label: string;
  before: string;
  after: string;
  language: "html" | "text";
}

/** The changes between two texts, read-only. */
export function DiffView({ label, before, after, language }: DiffViewProps) {
  const host = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<EditorView | null>(null);
  useLayoutEffect(() => {
    if (!host.current) return;
    const extensions = [diffExtensions(label, before), templateLanguage(language), theme];
    const created = new EditorView({ parent: shadowRootOf(host.current), doc: after, extensions });
    scrollToFirstChange(created);
    setView(created);
    return () => {
      created.destroy();
      setView(null);
    };
  }, [label, before, after, language]);

  const count = view ? (getChunks(view.state)?.chunks.length ?? 0) : 0;
  return (
    <div className="grid min-w-0 grid-cols-1 gap-1.5">
      <div className="flex items-center gap-1">
        <p className="mr-auto text-sm text-muted">{describeChanges(count)}</p>
        {count > 1 && view ? (
          <>
            <Button
              variant="quiet"
              size="icon"
              aria-label="Previous change"
              title="Previous change"
              onClick={() => goToPreviousChunk(view)}
            >
              <ChevronUp size={16} aria-hidden />
            </Button>
            <Button
              variant="quiet"
              size="icon"
              aria-label="Next change"
              title="Next change"
              onClick={() => goToNextChunk(view)}
            >
              <ChevronDown size={16} aria-hidden />
            </Button>
          </>
        ) : null}
      </div>
      <div ref={host} />
    </div>
  );
}

export default DiffView;

/** Scroll to the first change, in the view itself only: a page may show several views. */
function scrollToFirstChange(view: EditorView): void {
  const first = getChunks(view.state)?.chunks[0];
  if (!first) return;
  view.dispatch({ selection: { anchor: first.fromB } });
  const { top } = view.lineBlockAt(first.fromB);
  view.scrollDOM.scrollTop = Math.max(0, top - view.defaultLineHeight * 2);
}

// Unchanged lines are not collapsed: the library's placeholder cannot be opened by keyboard.
function diffExtensions(label: string, before: string) {
  return [
    unifiedMergeView({ original: before, mergeControls: false, syntaxHighlightDeletions: true }),
    EditorState.readOnly.of(true),
    EditorView.editable.of(false),
    EditorView.contentAttributes.of({ "aria-label": label, "aria-readonly": "true", tabindex: "0" }),
    EditorView.editorAttributes.of({ class: "cm-changes" }),
    EditorView.lineWrapping,
    lineNumbers(),
  ];
}

function describeChanges(count: number): string {
  if (count === 0) return "No differences";
  return count === 1 ? "1 change" : `${count} changes`;
}
