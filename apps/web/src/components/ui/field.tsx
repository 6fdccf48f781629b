import { Eye, EyeOff } from "lucide-react";
import { type ComponentProps, useId, useState } from "react";

interface FieldProps extends Omit<ComponentProps<"input">, "id"> {
  label: string;
  error?: string | undefined;
  hint?: string;
}

const INPUT =
  "w-full min-h-11 rounded-lg border border-control bg-surface px-3 text-base text-ink placeholder:text-muted aria-invalid:border-danger";

/** An input with its label, a hint and its error, tied together for those who do not see them side by side. */
export function Field({ label, error, hint, ...props }: FieldProps) {
  const id = useId();
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      <input
        {...props}
        id={id}
        className={INPUT}
        aria-invalid={error ? true : undefined}
        aria-describedby={error || hint ? `${id}-note` : undefined}
      />
      <Note id={`${id}-note`} error={error} hint={hint} />
    </div>
  );
}

/** A password that can be shown; password managers find it by `autoComplete`. */
export function PasswordField({ label, error, hint, ...props }: FieldProps) {
  const id = useId();
  const [shown, setShown] = useState(false);
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      <div className="relative">
        <input
          {...props}
          id={id}
          type={shown ? "text" : "password"}
          className={`${INPUT} pr-12`}
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
          aria-invalid={error ? true : undefined}
          aria-describedby={error || hint ? `${id}-note` : undefined}
        />
        <button
          type="button"
          className="absolute inset-y-1 right-1 grid w-10 place-items-center rounded-md text-muted hover:text-ink"
          aria-label={shown ? "Hide password" : "Show password"}
          aria-pressed={shown}
          aria-controls={id}
          onClick={() => setShown(!shown)}
        >
          {shown ? <EyeOff size={18} aria-hidden /> : <Eye size={18} aria-hidden />}
        </button>
      </div>
      <Note id={`${id}-note`} error={error} hint={hint} />
    </div>
  );
}

function Note({ id, error, hint }: { id: string; error?: string | undefined; hint?: string | undefined }) {
  if (!error && !hint) return null;
  return (
    <p id={id} className={error ? "text-sm text-danger" : "text-sm text-muted"}>
      {error ?? hint}
    </p>
  );
}
