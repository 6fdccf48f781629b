import { Eye, EyeOff } from "lucide-react";
import { type ComponentProps, type InvalidEvent, useId, useState } from "react";
import { complaintAbout, isFirstInvalid } from "./validity";

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
  const { complaint, ...listeners } = useComplaint(props.value);
  const wrong = complaint ?? error;
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      <input
        {...props}
        {...listeners}
        id={id}
        className={INPUT}
        aria-invalid={wrong ? true : undefined}
        aria-describedby={wrong || hint ? `${id}-note` : undefined}
      />
      <Note id={`${id}-note`} error={wrong} hint={hint} />
    </div>
  );
}

/** A password that can be shown; password managers find it by `autoComplete`. */
export function PasswordField({ label, error, hint, ...props }: FieldProps) {
  const id = useId();
  const { complaint, ...listeners } = useComplaint(props.value);
  const wrong = complaint ?? error;
  const [shown, setShown] = useState(false);
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      <div className="relative">
        <input
          {...props}
          {...listeners}
          id={id}
          type={shown ? "text" : "password"}
          className={`${INPUT} pr-12`}
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
          aria-invalid={wrong ? true : undefined}
          aria-describedby={wrong || hint ? `${id}-note` : undefined}
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
      <Note id={`${id}-note`} error={wrong} hint={hint} />
    </div>
  );
}

/** What the browser finds wrong when a form is sent, until another value stands there; shown in place of its bubble. */
function useComplaint(value: unknown) {
  const [found, setFound] = useState<{ complaint: string; about: unknown }>();
  const onInvalid = (event: InvalidEvent<HTMLInputElement>) => {
    event.preventDefault();
    setFound({ complaint: complaintAbout(event.currentTarget), about: value });
    if (isFirstInvalid(event.currentTarget)) event.currentTarget.focus();
  };
  const complaint = found?.about === value ? found?.complaint : undefined;
  return { complaint, onInvalid, onInput: () => setFound(undefined) };
}

function Note({ id, error, hint }: { id: string; error?: string | undefined; hint?: string | undefined }) {
  if (!error && !hint) return null;
  return (
    <p id={id} className={error ? "text-sm text-danger" : "text-sm text-muted"}>
      {error ?? hint}
    </p>
  );
}
