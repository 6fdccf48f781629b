import { type ComponentProps, type ReactNode, useId } from "react";

interface SelectProps extends Omit<ComponentProps<"select">, "id"> {
  label: string;
  /** The label is read out, but not seen: what is chosen says enough. */
  quiet?: boolean;
  children: ReactNode;
}

/** A choice of one among a few: the browser's own list, which phones and screen readers know best. */
export function Select({ label, quiet, children, className, ...props }: SelectProps) {
  const id = useId();
  return (
    <div className={`grid gap-1.5 ${className ?? ""}`}>
      <label htmlFor={id} className={quiet ? "sr-only" : "text-sm font-medium"}>
        {label}
      </label>
      <select
        {...props}
        id={id}
        className="min-h-10 w-full rounded-lg border border-control bg-surface px-3 text-sm text-ink"
      >
        {children}
      </select>
    </div>
  );
}
