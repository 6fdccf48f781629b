import { clsx } from "clsx";
import { Ellipsis } from "lucide-react";
import { type FocusEvent, type KeyboardEvent, useId, useRef, useState } from "react";
import { Button } from "@/components/ui/button";

interface MenuProps {
  label: string;
  entries: { label: string; danger?: boolean; onChoose: () => void }[];
}

/**
 * What is seldom wanted, behind a button: it closes on Escape, and when the focus leaves. On a narrow screen it opens
 * below what is positioned around it.
 */
export function Menu({ label, entries }: MenuProps) {
  const id = useId();
  const opener = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const leave = (event: FocusEvent<HTMLDivElement>) => {
    if (!event.currentTarget.contains(event.relatedTarget)) setOpen(false);
  };
  const handleKey = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !open) return;
    setOpen(false);
    opener.current?.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only hears what its buttons do not.
    <div className="lg:relative" onBlur={leave} onKeyDown={handleKey}>
      <Button
        ref={opener}
        aria-label={label}
        aria-expanded={open}
        aria-controls={id}
        className="px-2.5!"
        onClick={() => setOpen(!open)}
      >
        <Ellipsis size={18} aria-hidden />
      </Button>
      <ul
        id={id}
        hidden={!open}
        className="card absolute top-full right-0 z-20 mt-1 w-64 p-1.5 shadow-float max-lg:left-0"
      >
        {entries.map((entry) => (
          <li key={entry.label}>
            <button
              type="button"
              className={clsx(
                "flex min-h-10 w-full items-center rounded-lg px-3 text-left text-sm font-medium hover:bg-sunken",
                entry.danger && "text-danger",
              )}
              onClick={() => {
                // First the focus: what opens now gives it back here when it closes.
                opener.current?.focus();
                setOpen(false);
                entry.onChoose();
              }}
            >
              {entry.label}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
