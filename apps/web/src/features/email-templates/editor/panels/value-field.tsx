import { useId } from "react";
import type { Type } from "./values";

interface ValueFieldProps {
  label: string;
  type: Type;
  text: string;
  /** What counts while nothing is typed. */
  example: string;
  problem: string | undefined;
  hint?: string | undefined;
  onText(text: string): void;
}

const CONTROL =
  "w-full min-h-10 rounded-lg border border-control bg-surface px-3 text-sm text-ink placeholder:text-muted aria-invalid:border-danger";
const INPUT_MODE = { number: "decimal", url: "url", string: "text" } as const;

/** A field for a value of a type; what is typed is a text until it makes a value. */
export function ValueField({ label, type, text, example, problem, hint, onText }: ValueFieldProps) {
  const id = useId();
  const note = problem ?? hint;
  const shared = {
    id,
    value: text,
    placeholder: example,
    "aria-invalid": problem ? true : undefined,
    "aria-describedby": note ? `${id}-note` : undefined,
    spellCheck: false,
  };
  return (
    <div className="grid grid-cols-1 gap-1.5">
      <label htmlFor={id} className="flex flex-wrap items-baseline gap-x-2 text-sm font-medium wrap-anywhere">
        {label} <span className="text-xs font-normal text-muted">{type}</span>
      </label>
      {type === "boolean" ? (
        <select {...shared} onChange={(event) => onText(event.target.value)} className={CONTROL}>
          <option value="">{example ? `Example: ${example}` : "No example"}</option>
          <option value="true">true</option>
          <option value="false">false</option>
        </select>
      ) : type === "list" ? (
        <textarea
          {...shared}
          rows={Math.min(10, Math.max(3, (text || example).split("\n").length))}
          onChange={(event) => onText(event.target.value)}
          className={`${CONTROL} py-2 font-mono text-xs/5`}
        />
      ) : (
        <input
          {...shared}
          type="text"
          inputMode={type === "date" ? undefined : INPUT_MODE[type]}
          autoComplete="off"
          onChange={(event) => onText(event.target.value)}
          className={CONTROL}
        />
      )}
      {note ? (
        <p id={`${id}-note`} className={`text-xs wrap-anywhere ${problem ? "text-danger" : "text-muted"}`}>
          {note}
        </p>
      ) : null}
    </div>
  );
}
