import { lazy, Suspense, useMemo, useRef } from "react";
import { Button } from "@/components/ui/button";
import { TabButton, TabGroup, TabPanel } from "@/components/ui/tabs";
import type { Findings } from "./code/code-editor";
import { PART_NAMES, PARTS, type Part } from "./draft/content";
import { describeCount, ProblemCount, ProblemList } from "./problems";
import { ScrollableTabList } from "./scrollable-tab-list";
import type { EditorState } from "./use-editor";

const CodeEditor = lazy(() => import("./code/code-editor"));

/** The content, with a tab for each part. All parts stay mounted and keep their cursor and undo history. */
export function PartEditors({ editor }: { editor: EditorState }) {
  const { problems, part } = editor;
  return (
    <div className="grid grid-cols-1 gap-3">
      <TabGroup value={part} onChange={editor.showPart} className="card overflow-clip">
        <ScrollableTabList label="Parts of the template">
          {PARTS.map((name) => (
            <TabButton key={name} name={name}>
              {PART_NAMES[name]}
              <ProblemCount problems={problems.filter((problem) => problem.part === name)} />
            </TabButton>
          ))}
        </ScrollableTabList>
        {PARTS.map((name) => (
          <TabPanel key={name} name={name} keepMounted className="p-3">
            {name === "text" ? <TextEditor editor={editor} /> : <PartEditor editor={editor} part={name} />}
            <Hint editor={editor} part={name} />
          </TabPanel>
        ))}
      </TabGroup>
      {problems.length > 0 ? (
        <section className="grid grid-cols-1 gap-2" aria-label="Problems">
          <h2 className="text-sm font-semibold">{describeCount(problems)}</h2>
          <ProblemList label="Problems" problems={problems} onJump={editor.jumpTo} />
        </section>
      ) : null}
    </div>
  );
}

const HINTS: Partial<Record<Part, string>> = {
  subject: "Most email clients show about 50 characters of a subject.",
  preheader: "Most email clients show about 90 characters of this text after the subject.",
};

function Hint({ editor: { preview }, part }: { editor: EditorState; part: Part }) {
  if (!HINTS[part]) return null;
  const length = preview && !preview.stale ? preview.preview?.subject.length : undefined;
  return (
    <p className="pt-3 text-sm text-muted">
      {HINTS[part]}
      {part === "subject" && length !== undefined ? ` This one has ${length} with the sample data.` : null}
    </p>
  );
}

/** The text part: generated from the HTML until the user writes one. */
function TextEditor({ editor }: { editor: EditorState }) {
  const { state, preview, codeEditors } = editor;
  const ownText = useRef<string | null>(null);
  if (state.content.text === null) {
    const generated = preview?.preview;
    return (
      <div className="grid grid-cols-1 gap-3 p-1">
        <p className="text-sm text-muted">
          For email clients that do not show HTML. This text is generated from the HTML.
        </p>
        <Button
          size="small"
          className="justify-self-start"
          busy={preview === null}
          onClick={() => editor.edit({ text: ownText.current ?? generated?.text_source ?? "" })}
        >
          Write it myself
        </Button>
        <section
          aria-label="Text generated from the HTML"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard.
          tabIndex={0}
          className="max-h-[28rem] overflow-auto rounded-lg bg-sunken p-3 font-mono text-xs/5 whitespace-pre-wrap wrap-anywhere"
        >
          {generated?.text || "…"}
        </section>
      </div>
    );
  }
  const handleGenerate = () => {
    ownText.current = codeEditors.text.current?.text() ?? null;
    editor.edit({ text: null });
  };
  return (
    <>
      <PartEditor editor={editor} part="text" />
      <div className="flex flex-wrap items-center gap-3 pt-3 text-sm text-muted">
        <span className="grow">This text does not change with the HTML.</span>
        <Button size="small" onClick={handleGenerate}>
          Generate it from the HTML
        </Button>
      </div>
    </>
  );
}

function PartEditor({ editor, part }: { editor: EditorState; part: Part }) {
  const { state, language, preview, codeEditors, edit, save } = editor;
  const findings = useMemo<Findings | null>(
    () =>
      preview && {
        text: preview.content[part] ?? "",
        diagnostics: preview.diagnostics.filter((each) => each.part === part),
      },
    [preview, part],
  );
  return (
    <Suspense fallback={<Loading part={part} />}>
      <CodeEditor
        ref={codeEditors[part]}
        label={PART_NAMES[part]}
        initial={state.content[part] ?? ""}
        language={part === "html" ? "html" : "text"}
        singleLine={part === "subject" || part === "preheader"}
        toolbar={part === "html"}
        variables={state.content.variables}
        templateLanguage={language}
        findings={findings}
        onChange={(text) => edit({ [part]: text })}
        onSave={() => void save()}
      />
    </Suspense>
  );
}

function Loading({ part }: { part: Part }) {
  return (
    <div
      role="status"
      aria-label={`Loading the ${PART_NAMES[part]} editor`}
      className="grid min-h-80 animate-[pulse-soft_1.6s_ease-in-out_infinite] content-start gap-2 p-4"
    >
      <div className="h-4 w-2/3 rounded bg-sunken" />
      <div className="h-4 w-1/2 rounded bg-sunken" />
      <div className="h-4 w-3/4 rounded bg-sunken" />
    </div>
  );
}
