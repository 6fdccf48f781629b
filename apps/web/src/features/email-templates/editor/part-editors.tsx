import { lazy, type RefObject, Suspense, useMemo, useRef } from "react";
import type { TemplateDiagnostic, TemplateLanguage } from "@/client/types.gen";
import { Button } from "@/components/ui/button";
import type { CodeEditorHandle, Findings } from "./code/code-editor";
import { PART_NAMES, PARTS, type Part } from "./draft/content";
import type { Copy } from "./draft/current-source";
import type { DeskState } from "./draft/draft-store";
import type { Checked } from "./preview/use-preview";
import { count, countInWords, ProblemList } from "./problems";
import { TabList, TabPanel } from "./tab-list";
import { textOf } from "./text-of";

const CodeEditor = lazy(() => import("./code/code-editor"));

export type Handles = Record<Part, RefObject<CodeEditorHandle | null>>;

interface EditorsProps {
  handles: Handles;
  state: DeskState;
  grammar: TemplateLanguage;
  checked: Checked | null;
  problems: TemplateDiagnostic[];
  part: Part;
  onPart: (part: Part) => void;
  onType: (change: Partial<Copy>) => void;
  onSave: () => void;
  onJump: (problem: TemplateDiagnostic) => void;
}

const HINTS: Partial<Record<Part, string>> = {
  subject: "What people read first, in their list of mail. About 50 characters are seen everywhere.",
  preheader: "What most mail programs show behind the subject. About 90 characters are seen.",
};

/** The words, a tab for each part. All four stay mounted, each with its cursor and what can be undone. */
export function Editors(props: EditorsProps) {
  const { problems, part, onPart, onJump } = props;
  const tabs = PARTS.map((name) => ({
    name,
    label: PART_NAMES[name],
    problems: count(problems.filter((problem) => problem.part === name)),
  }));
  return (
    <div className="grid grid-cols-1 gap-3">
      <div className="card overflow-clip">
        <TabList id="part" label="Parts of the mail" tabs={tabs} shown={part} onShow={onPart} />
        {PARTS.map((name) => (
          <TabPanel key={name} id="part" name={name} hidden={name !== part} className="p-3">
            {name === "text" ? <Text {...props} /> : <One {...props} name={name} />}
            <Hint part={name} checked={props.checked} />
          </TabPanel>
        ))}
      </div>
      {problems.length > 0 ? (
        <section className="grid grid-cols-1 gap-2" aria-label="Problems">
          <h2 className="text-sm font-semibold">{countInWords(problems)}</h2>
          <ProblemList label="Problems" problems={problems} onJump={onJump} />
        </section>
      ) : null}
    </div>
  );
}

function Hint({ part, checked }: { part: Part; checked: Checked | null }) {
  if (!HINTS[part]) return null;
  const length =
    part === "subject" && checked && !checked.stale ? checked.preview?.subject.length : undefined;
  return (
    <p className="pt-3 text-sm text-muted">
      {HINTS[part]} {length === undefined ? null : `With the sample data it has ${length}.`}
    </p>
  );
}

/** The text, which is made from the HTML as long as nobody writes one. */
function Text(props: EditorsProps) {
  const { state, checked, onType, handles } = props;
  const own = useRef<string | null>(null);
  if (state.copy.text === null) {
    const made = checked?.preview?.text ?? "";
    return (
      <div className="grid grid-cols-1 gap-3 p-1">
        <p className="text-sm text-muted">
          For those who read without HTML. It is made from the HTML, so that it always says the same.
        </p>
        <Button
          size="small"
          className="justify-self-start"
          onClick={() => onType({ text: own.current ?? textOf(state.copy.html) })}
        >
          Write it myself
        </Button>
        <section
          aria-label="Text made from the HTML"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard.
          tabIndex={0}
          className="max-h-[28rem] overflow-auto rounded-lg bg-sunken p-3 font-mono text-xs/5 whitespace-pre-wrap wrap-anywhere"
        >
          {made || "…"}
        </section>
      </div>
    );
  }
  const makeAgain = () => {
    own.current = handles.text.current?.text() ?? null;
    onType({ text: null });
  };
  return (
    <>
      <One {...props} name="text" />
      <div className="flex flex-wrap items-center gap-3 pt-3 text-sm text-muted">
        <span className="grow">This text is your own: it does not follow the HTML.</span>
        <Button size="small" onClick={makeAgain}>
          Make it from the HTML
        </Button>
      </div>
    </>
  );
}

function One({ name, handles, state, grammar, checked, onType, onSave }: EditorsProps & { name: Part }) {
  const findings = useMemo<Findings | null>(
    () =>
      checked && {
        text: checked.words[name] ?? "",
        diagnostics: checked.diagnostics.filter((each) => each.part === name),
      },
    [checked, name],
  );
  return (
    <Suspense fallback={<Loading name={name} />}>
      <CodeEditor
        ref={handles[name]}
        label={PART_NAMES[name]}
        initial={state.copy[name] ?? ""}
        language={name === "html" ? "html" : "text"}
        singleLine={name === "subject" || name === "preheader"}
        toolbar={name === "html"}
        variables={state.copy.variables}
        grammar={grammar}
        findings={findings}
        onChange={(text) => onType({ [name]: text })}
        onSave={onSave}
      />
    </Suspense>
  );
}

function Loading({ name }: { name: Part }) {
  return (
    <div
      role="status"
      aria-label={`Loading the editor of the ${PART_NAMES[name]}`}
      className="grid min-h-80 animate-[pulse-soft_1.6s_ease-in-out_infinite] content-start gap-2 p-4"
    >
      <div className="h-4 w-2/3 rounded bg-sunken" />
      <div className="h-4 w-1/2 rounded bg-sunken" />
      <div className="h-4 w-3/4 rounded bg-sunken" />
    </div>
  );
}
