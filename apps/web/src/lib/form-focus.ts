import { type RefObject, useEffect } from "react";

/** After a failed submission, focuses the first invalid field of a form, or else the one that `fallback` selects. */
export function useFocusOnError(form: RefObject<HTMLFormElement | null>, error: unknown, fallback?: string) {
  useEffect(() => {
    if (!error) return;
    const selector = fallback ? `[aria-invalid], ${fallback}` : "[aria-invalid]";
    form.current?.querySelector<HTMLElement>(selector)?.focus();
  }, [form, error, fallback]);
}
