import { CircleAlert, TriangleAlert } from "lucide-react";
import type { TemplateDiagnostic } from "@/client/types.gen";
import { PART_NAMES } from "./draft/content";

export function countProblems(problems: TemplateDiagnostic[]) {
  const errors = problems.filter(({ severity }) => severity === "error").length;
  return { errors, warnings: problems.length - errors };
}

/** The number of errors and warnings, such as "2 errors and 1 warning". */
export function describeCount(problems: TemplateDiagnostic[]): string {
  const { errors, warnings } = countProblems(problems);
  return [plural(errors, "error"), plural(warnings, "warning")].filter(Boolean).join(" and ");
}

function plural(number: number, noun: string): string {
  if (number === 0) return "";
  return number === 1 ? `1 ${noun}` : `${number} ${noun}s`;
}

interface ProblemListProps {
  label: string;
  problems: TemplateDiagnostic[];
  onJump: (problem: TemplateDiagnostic) => void;
}

/** The problems, errors first. Each is a button that goes to its position in the template. */
export function ProblemList({ label, problems, onJump }: ProblemListProps) {
  const sorted = problems.toSorted((one, other) => rank(one) - rank(other));
  return (
    <ul
      aria-label={label}
      className="divide-y divide-line overflow-clip rounded-lg border border-line text-sm"
    >
      {sorted.map((problem, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: two problems can be equal.
        <li key={index}>
          <button
            type="button"
            onClick={() => onJump(problem)}
            className="flex w-full items-start gap-2.5 px-3 py-2 text-left -outline-offset-2 hover:bg-sunken"
          >
            <SeverityIcon severity={problem.severity} />
            <span className="min-w-0 wrap-anywhere">
              {problem.msg}{" "}
              <span className="whitespace-nowrap text-muted underline underline-offset-2">
                {positionOf(problem)}
              </span>
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function SeverityIcon({ severity }: { severity: TemplateDiagnostic["severity"] }) {
  const Icon = severity === "error" ? CircleAlert : TriangleAlert;
  const color = severity === "error" ? "text-danger" : "text-notice";
  const label = severity === "error" ? "Error:" : "Warning:";
  return <Icon size={16} role="img" aria-label={label} className={`mt-0.5 shrink-0 ${color}`} />;
}

function positionOf({ part, line, column }: TemplateDiagnostic): string {
  return part === "variables" ? "Variables" : `${PART_NAMES[part]}, line ${line}, column ${column}`;
}

function rank({ severity }: TemplateDiagnostic): number {
  return severity === "error" ? 0 : 1;
}

/** The number of problems behind a tab; nothing if there are none. */
export function ProblemCount({ problems }: { problems: TemplateDiagnostic[] }) {
  if (problems.length === 0) return null;
  const { errors } = countProblems(problems);
  const colors = errors > 0 ? "bg-danger-soft text-danger" : "bg-notice-soft text-notice";
  return (
    <span className={`rounded-full px-1.5 text-xs/5 font-semibold tabular-nums ${colors}`}>
      {problems.length}
      <span className="sr-only">{problems.length === 1 ? " problem" : " problems"}</span>
    </span>
  );
}
