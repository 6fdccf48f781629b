import { useEffect, useState, useSyncExternalStore } from "react";
import type { EmailTemplate } from "@/client/types.gen";
import { isPassing } from "@/lib/query-client";
import { useSaveDraft } from "../mutations";
import { Desk } from "./draft-store";
import { Shelf } from "./local-draft";

/** Has a desk for a template, as it is when the editor opens. What changes later it learns by `desk.stands`. */
export function useDesk(template: EmailTemplate, userId: string) {
  const { mutateAsync } = useSaveDraft(template);
  const [desk] = useState(
    () =>
      new Desk(
        template,
        (copy, etag) => mutateAsync({ copy, etag }),
        new Shelf(userId, template.key, template.locale),
      ),
  );
  useEffect(() => {
    const hide = () => desk.flush();
    window.addEventListener("pagehide", hide);
    return () => {
      window.removeEventListener("pagehide", hide);
      desk.flush();
    };
  }, [desk]);
  return { desk, state: useSyncExternalStore(desk.subscribe, desk.snapshot) };
}

/** Saves again what could not be saved for want of a network, as soon as there is one. */
export function useSaveWhenBack(desk: Desk, save: () => void): void {
  useEffect(() => {
    const again = () => {
      if (isPassing(desk.snapshot().error)) save();
    };
    window.addEventListener("online", again);
    return () => window.removeEventListener("online", again);
  }, [desk, save]);
}
