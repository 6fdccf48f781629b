import { Eye, EyeOff } from "lucide-react";
import { type ComponentProps, type InvalidEvent, useId, useState } from "react";
import { PasswordStrength } from "./password-strength";

interface FieldProps extends Omit<ComponentProps<"input">, "id"> {
  label: string;
  error?: string | undefined;
  hint?: string;
}

const INPUT =
  "w-full min-h-11 rounded-lg border border-control bg-surface px-3 text-base text-ink placeholder:text-muted aria-invalid:border-danger";

/** An input with its label, and with a hint or an error that is announced with it. */
export function Field({ label, error, hint, ...props }: FieldProps) {
  const { id, message, attributes } = useField(props.value, error, hint);
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      <input {...props} {...attributes} className={INPUT} />
      {message}
    </div>
  );
}

/** A field for an email address. */
export function EmailField(props: Omit<FieldProps, "label" | "name" | "type">) {
  return (
    <Field
      {...props}
      label="Email address"
      name="email"
      type="email"
      inputMode="email"
      required
      maxLength={254}
    />
  );
}

/**
 * A field for a password, which can be shown. Password managers recognize it by `autoComplete`. It has no maximum length, at
 * which a browser would cut off what is pasted without saying so.
 */
export function PasswordField({
  label,
  error,
  hint,
  ...props
}: Omit<FieldProps, "name" | "required" | "maxLength">) {
  const { id, message, attributes } = useField(props.value, error, hint);
  const [shown, setShown] = useState(false);
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      <div className="relative">
        <input
          {...props}
          {...attributes}
          type={shown ? "text" : "password"}
          name="password"
          required
          className={`${INPUT} pr-12`}
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
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
      {message}
    </div>
  );
}

/** A field for choosing a password, with the rules that the service checks and a hint at how strong it is. */
export function NewPasswordField({ label, error }: { label: string; error: string | undefined }) {
  const [typed, setTyped] = useState<{ password: string; words: string[] }>({ password: "", words: [] });
  return (
    <div className="grid gap-3">
      <PasswordField
        label={label}
        autoComplete="new-password"
        minLength={8}
        hint="At least 8 characters. A few unrelated words make a good password."
        error={error}
        onChange={({ currentTarget }) =>
          setTyped({ password: currentTarget.value, words: wordsOf(currentTarget.form) })
        }
      />
      <PasswordStrength {...typed} />
    </div>
  );
}

/** The parts of the email address in the same form, which make a weak password. */
function wordsOf(form: HTMLFormElement | null): string[] {
  const email = form?.elements.namedItem("email");
  return email instanceof HTMLInputElement ? [email.value, ...email.value.split(/[@.]/)].filter(Boolean) : [];
}

/**
 * What all fields share. The browser's own validation message is shown below the field instead of in a bubble, until the value
 * changes; it takes precedence over `error`.
 */
function useField(value: unknown, error: string | undefined, hint: string | undefined) {
  const id = useId();
  const [found, setFound] = useState<{ problem: string; value: unknown }>();
  const shownError = (found && found.value === value ? found.problem : undefined) ?? error;
  const text = shownError ?? hint;
  return {
    id,
    attributes: {
      id,
      "aria-invalid": shownError ? true : undefined,
      "aria-describedby": text ? `${id}-message` : undefined,
      onInvalid: (event: InvalidEvent<HTMLInputElement>) => {
        event.preventDefault();
        setFound({ problem: validationMessage(event.currentTarget), value });
        if (isFirstInvalid(event.currentTarget)) event.currentTarget.focus();
      },
      onInput: () => setFound(undefined),
    },
    message: text ? (
      <p id={`${id}-message`} className={shownError ? "text-sm text-danger" : "text-sm text-muted"}>
        {text}
      </p>
    ) : null,
  };
}

/** Every `pattern` in this app only requires something that is not blank. */
function validationMessage({ validity, type, minLength, validationMessage }: HTMLInputElement): string {
  if (validity.valueMissing || validity.patternMismatch) return "This cannot be empty.";
  if (validity.typeMismatch && type === "email") return "Enter a valid email address.";
  if (validity.tooShort) return `Enter at least ${minLength} characters.`;
  return validationMessage;
}

function isFirstInvalid(field: HTMLInputElement): boolean {
  return field.form?.querySelector("input:invalid, select:invalid, textarea:invalid") === field;
}
