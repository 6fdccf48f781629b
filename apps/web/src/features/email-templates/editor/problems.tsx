import { CircleAlert, TriangleAlert } from "lucide-react";
import type { TemplateDiagnostic } from "@/client/types.gen";
import { PART_NAMES } from "./draft/content";

/** How many errors and warnings there are. */
export function count(found: TemplateDiagnostic[]) {
  const errors = found.filter(({ severity }) => severity === "error").length;
  return { errors, warnings: found.length - errors };
}

/** "2 errors and 1 warning". */
export function countInWords(found: TemplateDiagnostic[]): string {
  const { errors, warnings } = count(found);
  return [many(errors, "error"), many(warnings, "warning")].filter(Boolean).join(" and ");
}

function many(number: number, word: string): string {
  if (number === 0) return "";
  return number === 1 ? `1 ${word}` : `${number} ${word}s`;
}

interface ProblemListProps {
  label: string;
  problems: TemplateDiagnostic[];
  onJump: (problem: TemplateDiagnostic) => void;
}

/** What is wrong, errors first; each leads to its place. */
export function ProblemList({ label, problems, onJump }: ProblemListProps) {
  const sorted = problems.toSorted((one, other) => rank(one) - rank(other));
  return (
    <ul
      aria-label={label}
      className="divide-y divide-line overflow-clip rounded-lg border border-line text-sm"
    >
      {sorted.map((problem, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: two may be alike in all but their order.
        <li key={index}>
          <button
            type="button"
            onClick={() => onJump(problem)}
            className="flex w-full items-start gap-2.5 px-3 py-2 text-left -outline-offset-2 hover:bg-sunken"
          >
            <Mark severity={problem.severity} />
            <span className="min-w-0 wrap-anywhere">
              {problem.msg}{" "}
              <span className="whitespace-nowrap text-muted underline underline-offset-2">
                {where(problem)}
              </span>
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function Mark({ severity }: { severity: TemplateDiagnostic["severity"] }) {
  const Icon = severity === "error" ? CircleAlert : TriangleAlert;
  const colour = severity === "error" ? "text-danger" : "text-notice";
  const label = severity === "error" ? "Error:" : "Warning:";
  return <Icon size={16} role="img" aria-label={label} className={`mt-0.5 shrink-0 ${colour}`} />;
}

function where({ part, line, column }: TemplateDiagnostic): string {
  return part === "variables" ? "Variables" : `${PART_NAMES[part]}, line ${line}, column ${column}`;
}

function rank({ severity }: TemplateDiagnostic): number {
  return severity === "error" ? 0 : 1;
}
