import { useId } from "react";

interface SecretsFieldProps {
  checked: boolean;
  onChange: (checked: boolean) => void;
}

/** The checkbox that says that the emails of a template contain secrets. */
export function SecretsField({ checked, onChange }: SecretsFieldProps) {
  const id = useId();
  return (
    <div className="grid grid-cols-1 gap-1">
      <label className="flex min-h-6 items-center gap-2 text-sm font-medium">
        <input
          type="checkbox"
          checked={checked}
          onChange={(event) => onChange(event.target.checked)}
          aria-describedby={id}
          className="size-5 shrink-0 accent-brand"
        />
        Its emails contain secrets
      </label>
      <p id={id} className="pl-7 text-sm text-muted">
        Nobody but the recipient sees their subject and content, and both are erased once an email is sent.
        API keys cannot publish the template.
      </p>
    </div>
  );
}
