import { lazy, Suspense } from "react";
import {
  describeVariables,
  EMPTY_CONTENT,
  hasSameVariables,
  PART_NAMES,
  PARTS,
  type TemplateContent,
} from "../draft/content";

const DiffView = lazy(() => import("../code/diff-view"));

const GENERATED = "(generated from the HTML)";

interface ChangesProps {
  /** Null if there was no content before. */
  before: TemplateContent | null;
  after: TemplateContent;
}

/** The differences between two contents, part by part. Parts without differences are only named. */
export function Changes({ before, after }: ChangesProps) {
  const old = before ?? EMPTY_CONTENT;
  const changed = PARTS.filter((part) => old[part] !== after[part]);
  const unchanged = PARTS.filter((part) => old[part] === after[part]);
  const sameVariables = hasSameVariables(old, after);
  if (changed.length === 0 && sameVariables) {
    return <p className="text-sm text-muted">There are no differences.</p>;
  }
  return (
    <div className="grid grid-cols-1 gap-5">
      {changed.map((part) => (
        <Difference
          key={part}
          name={PART_NAMES[part]}
          before={old[part] ?? GENERATED}
          after={after[part] ?? GENERATED}
          language={part === "html" ? "html" : "text"}
        />
      ))}
      {sameVariables ? null : (
        <Difference
          name="Variables"
          before={describeVariables(old.variables)}
          after={describeVariables(after.variables)}
          language="text"
        />
      )}
      {unchanged.length > 0 ? (
        <p className="text-sm text-muted">
          Unchanged: {unchanged.map((part) => PART_NAMES[part]).join(", ")}.
        </p>
      ) : null}
    </div>
  );
}

interface DifferenceProps {
  name: string;
  before: string;
  after: string;
  language: "html" | "text";
}

function Difference({ name, ...texts }: DifferenceProps) {
  return (
    <section className="grid grid-cols-1 gap-2">
      <h3 className="text-sm font-semibold">{name}</h3>
      <Suspense
        fallback={
          <div className="h-20 animate-[pulse-soft_1.6s_ease-in-out_infinite] rounded-lg bg-sunken" />
        }
      >
        <DiffView key={`${texts.before}\0${texts.after}`} label={`Changes in ${name}`} {...texts} />
      </Suspense>
    </section>
  );
}
