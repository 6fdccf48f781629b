import { useId } from "react";
import type { VariableType } from "./values";

interface ValueFieldProps {
  label: string;
  type: VariableType;
  text: string;
  /** The value that is used while the field is empty. */
  example: string;
  error: string | undefined;
  onText(text: string): void;
}

const CONTROL =
  "w-full min-h-10 rounded-lg border border-control bg-surface px-3 text-sm text-ink placeholder:text-muted aria-invalid:border-danger";
const INPUT_MODE = { number: "decimal", url: "url", link: "url", string: "text", date: undefined } as const;

/** A field for the value of a variable. It edits text; `parseValue` makes the value. */
export function ValueField({ label, type, text, example, error, onText }: ValueFieldProps) {
  const id = useId();
  const shared = {
    id,
    value: text,
    placeholder: example,
    "aria-invalid": error ? true : undefined,
    "aria-describedby": error ? `${id}-error` : undefined,
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
          inputMode={INPUT_MODE[type]}
          autoComplete="off"
          onChange={(event) => onText(event.target.value)}
          className={CONTROL}
        />
      )}
      {error ? (
        <p id={`${id}-error`} className="text-xs text-danger wrap-anywhere">
          {error}
        </p>
      ) : null}
    </div>
  );
}
