import { type ReactNode, useEffect, useId, useRef } from "react";

interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  description: ReactNode;
  /** For content that is shown side by side. */
  wide?: boolean;
  children: ReactNode;
}

/**
 * A modal dialog. The browser's `dialog` element traps the focus, closes on Escape and returns the focus. The focus starts at
 * the element with `autoFocus`, or else at the first control.
 */
export function Dialog({ open, onClose, title, description, wide, children }: DialogProps) {
  const id = useId();
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) element.current?.showModal();
    else element.current?.close();
  }, [open]);
  return (
    <dialog
      ref={element}
      aria-labelledby={`${id}-title`}
      aria-describedby={`${id}-description`}
      onCancel={(event) => {
        // Close through the state, so that the dialog can be opened again at once.
        event.preventDefault();
        onClose();
      }}
      onClose={() => {
        if (!element.current?.open) onClose();
      }}
      className={`card m-auto w-[calc(100%-2rem)] p-0 text-ink shadow-float backdrop:bg-black/50 open:animate-[appear_150ms_ease-out] ${wide ? "max-w-5xl" : "max-w-md"}`}
    >
      {open ? (
        <div className="grid grid-cols-1 gap-4 p-6 wrap-anywhere">
          <div className="grid gap-2">
            <h2 id={`${id}-title`} className="text-lg font-semibold">
              {title}
            </h2>
            <p id={`${id}-description`} className="text-sm text-muted">
              {description}
            </p>
          </div>
          {children}
        </div>
      ) : null}
    </dialog>
  );
}
