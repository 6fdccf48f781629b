import { type ComponentProps, type ReactNode, useId } from "react";

interface SelectProps extends Omit<ComponentProps<"select">, "id"> {
  label: string;
  /** Only screen readers get the label; the options speak for themselves. */
  hideLabel?: boolean;
  children: ReactNode;
}

/** A choice of one: the browser's `select`, which works best on phones and with screen readers. */
export function Select({ label, hideLabel, children, className, ...props }: SelectProps) {
  const id = useId();
  return (
    <div className={`grid gap-1.5 ${className ?? ""}`}>
      <label htmlFor={id} className={hideLabel ? "sr-only" : "text-sm font-medium"}>
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
