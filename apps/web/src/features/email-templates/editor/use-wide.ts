import { useSyncExternalStore } from "react";

const wide = () => window.matchMedia("(min-width: 1024px)");

/** Tells whether there is room for two panes side by side. */
export function useWide(): boolean {
  return useSyncExternalStore(
    (listener) => {
      const query = wide();
      query.addEventListener("change", listener);
      return () => query.removeEventListener("change", listener);
    },
    () => wide().matches,
  );
}
