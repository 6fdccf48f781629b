import { type ReactNode, useId } from "react";

interface SwitchProps {
  label: string;
  description: ReactNode;
  checked: boolean;
  onChange: (checked: boolean) => void;
}

/** A setting that is on or off and takes effect at once. The whole row can be clicked. */
export function Switch({ label, description, checked, onChange }: SwitchProps) {
  const id = useId();
  return (
    <label className="flex cursor-pointer items-center gap-4 p-4 hover:bg-sunken sm:px-5">
      <span className="grid min-w-0 grow gap-0.5">
        <span id={id} className="font-medium">
          {label}
        </span>
        <span id={`${id}-description`} className="text-sm text-muted">
          {description}
        </span>
      </span>
      <input
        type="checkbox"
        // biome-ignore lint/a11y/useAriaPropsForRole: a checkbox reports its state itself.
        role="switch"
        aria-labelledby={id}
        aria-describedby={`${id}-description`}
        checked={checked}
        onChange={(event) => onChange(event.target.checked)}
        className="relative h-6 w-11 shrink-0 cursor-pointer appearance-none rounded-full bg-control transition-colors before:absolute before:top-0.5 before:left-0.5 before:size-5 before:rounded-full before:bg-surface before:transition-transform checked:bg-brand checked:before:translate-x-5 forced-colors:border forced-colors:checked:bg-[Highlight]"
      />
    </label>
  );
}
