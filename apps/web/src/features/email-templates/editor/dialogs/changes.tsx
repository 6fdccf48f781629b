import { lazy, Suspense } from "react";
import { PART_NAMES, PARTS } from "../draft/content";
import { type Copy, declarations, variablesDiffer } from "../draft/current-source";

const DiffView = lazy(() => import("../code/diff-view"));

interface ChangesProps {
  /** Null where there was nothing. */
  before: Copy | null;
  after: Copy;
}

const NOTHING: Copy = { subject: "", preheader: "", html: "", text: null, variables: [] };
const MADE = "(made from the HTML)";

/** What is different between two copies, part by part; what is the same is only named. */
export function Changes({ before, after }: ChangesProps) {
  const old = before ?? NOTHING;
  const changed = PARTS.filter((part) => old[part] !== after[part]);
  const unchanged = PARTS.filter((part) => old[part] === after[part]);
  const declared = variablesDiffer(old, after);
  if (changed.length === 0 && !declared) {
    return <p className="text-sm text-muted">There is no difference.</p>;
  }
  return (
    <div className="grid grid-cols-1 gap-5">
      {changed.map((part) => (
        <section key={part} className="grid grid-cols-1 gap-2">
          <h3 className="text-sm font-semibold">{PART_NAMES[part]}</h3>
          <Suspense fallback={<Loading />}>
            <DiffView
              key={`${old[part]}\0${after[part]}`}
              label={`Changes of the ${PART_NAMES[part]}`}
              before={old[part] ?? MADE}
              after={after[part] ?? MADE}
              language={part === "html" ? "html" : "text"}
            />
          </Suspense>
        </section>
      ))}
      {declared ? (
        <section className="grid grid-cols-1 gap-2">
          <h3 className="text-sm font-semibold">Variables</h3>
          <Suspense fallback={<Loading />}>
            <DiffView
              label="Changes of the variables"
              before={declarations(old.variables)}
              after={declarations(after.variables)}
              language="text"
            />
          </Suspense>
        </section>
      ) : null}
      {unchanged.length > 0 ? (
        <p className="text-sm text-muted">
          The same in both: {unchanged.map((part) => PART_NAMES[part]).join(", ")}.
        </p>
      ) : null}
    </div>
  );
}

function Loading() {
  return <div className="h-20 animate-[pulse-soft_1.6s_ease-in-out_infinite] rounded-lg bg-sunken" />;
}
