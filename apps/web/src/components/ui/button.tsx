import { clsx } from "clsx";
import type { ComponentProps } from "react";

type Variant = "primary" | "secondary" | "quiet" | "danger" | "danger-quiet";

const VARIANTS: Record<Variant, string> = {
  primary: "bg-brand text-on-brand hover:bg-brand-strong",
  secondary: "bg-surface text-ink border border-control hover:bg-sunken",
  quiet: "text-ink hover:bg-sunken",
  danger: "bg-danger text-on-danger hover:bg-danger-strong",
  "danger-quiet": "text-danger border border-line bg-surface hover:bg-danger-soft hover:border-danger",
};

const SIZES = {
  large: "min-h-11 px-4 text-sm",
  normal: "min-h-10 px-4 text-sm",
  small: "min-h-9 px-3 text-sm",
  icon: "size-9",
};

export interface ButtonProps extends ComponentProps<"button"> {
  variant?: Variant;
  size?: keyof typeof SIZES;
  /** The action is in progress: announced to screen readers, and further clicks do nothing. */
  busy?: boolean;
}

/** The classes of a button, also for a link that looks like one. */
export function buttonStyle(
  variant: Variant,
  size: keyof typeof SIZES = "normal",
  className?: string,
): string {
  return clsx(
    "inline-flex items-center justify-center gap-2 rounded-lg font-medium whitespace-nowrap transition-colors",
    "disabled:opacity-50 aria-disabled:opacity-60",
    SIZES[size],
    VARIANTS[variant],
    className,
  );
}

export function Button({ variant = "secondary", size = "normal", busy, className, ...props }: ButtonProps) {
  return (
    <button
      type="button"
      {...props}
      aria-disabled={busy || undefined}
      aria-busy={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : props.onClick}
      className={buttonStyle(variant, size, className)}
    />
  );
}
