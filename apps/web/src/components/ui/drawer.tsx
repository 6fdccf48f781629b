import { X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef } from "react";

interface DrawerProps {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  children: ReactNode;
}

/**
 * A modal dialog at the right edge, on a phone over the whole screen, for the details of one row of a list. The browser's
 * `dialog` element traps the focus, closes on Escape and on a click outside, and returns the focus.
 */
export function Drawer({ open, onClose, title, children }: DrawerProps) {
  const id = useId();
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) element.current?.showModal();
    else element.current?.close();
  }, [open]);
  return (
    <dialog
      ref={element}
      aria-labelledby={id}
      closedby="any"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClose={() => {
        if (!element.current?.open) onClose();
      }}
      className="m-0 ml-auto h-dvh max-h-none w-full max-w-none overflow-y-auto border-line bg-surface p-0 text-ink shadow-float backdrop:bg-black/50 open:animate-[slide-in_180ms_ease-out] sm:max-w-2xl sm:border-l"
    >
      {open ? (
        <div className="grid grid-cols-1 gap-6 px-4 pb-10 sm:px-6">
          <header className="sticky top-0 z-10 -mx-4 flex items-start gap-4 border-b border-line bg-surface px-4 py-3 sm:-mx-6 sm:px-6">
            <h2 id={id} className="min-w-0 grow py-1 text-lg font-semibold tracking-tight wrap-anywhere">
              {title}
            </h2>
            <button
              type="button"
              aria-label="Close"
              onClick={onClose}
              className="grid size-9 shrink-0 place-items-center rounded-lg text-muted hover:bg-sunken hover:text-ink"
            >
              <X size={20} aria-hidden />
            </button>
          </header>
          {children}
        </div>
      ) : null}
    </dialog>
  );
}
