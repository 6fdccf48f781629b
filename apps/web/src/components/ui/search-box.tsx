import { Search } from "lucide-react";
import { type SubmitEvent, useEffect, useId, useRef, useState } from "react";

const DEBOUNCE_MS = 250;

interface SearchBoxProps {
  label: string;
  placeholder?: string;
  /** The search text in the URL. */
  value: string;
  /** Called after a pause in typing, or on Enter. */
  onSearch: (value: string) => void;
  className?: string;
}

/** A search field that follows the URL without losing what is typed in the meantime. */
export function SearchBox({ label, placeholder, value, onSearch, className }: SearchBoxProps) {
  const id = useId();
  const [text, setText] = useState(value);
  const [known, setKnown] = useState({ value, sent: value });
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  if (known.value !== value) {
    setKnown({ value, sent: value });
    // The URL was changed by something else, such as the back button.
    if (known.sent !== value) setText(value);
  }

  const send = (typed: string) => {
    clearTimeout(timer.current);
    setKnown({ ...known, sent: typed.trim() });
    onSearch(typed.trim());
  };
  const handleChange = (typed: string) => {
    setText(typed);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => send(typed), DEBOUNCE_MS);
  };
  const handleSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    send(text);
  };

  return (
    // biome-ignore lint/a11y/useSemanticElements: not every browser knows the search element yet.
    <div role="search" className={className}>
      <form onSubmit={handleSubmit} className="relative">
        <label htmlFor={id} className="sr-only">
          {label}
        </label>
        <Search size={16} className="pointer-events-none absolute top-3 left-3 text-muted" aria-hidden />
        <input
          id={id}
          type="search"
          value={text}
          placeholder={placeholder ?? label}
          maxLength={254}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          onChange={(event) => handleChange(event.target.value)}
          className="min-h-10 w-full rounded-lg border border-control bg-surface pr-3 pl-9 text-sm text-ink placeholder:text-muted"
        />
      </form>
    </div>
  );
}
