import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useState } from "react";
import type { EmailTemplate } from "@/client/types.gen";
import { template as templateIn } from "../../queries";
import type { DialogName } from "../header";
import { count, countInWords } from "../problems";
import { type Desk, isConflict } from "./draft-store";
import { useSaveWhenBack } from "./use-draft";

/** Saving, what is told about it, and the dialogs, of which a conflict opens one by itself. */
export function useSaving({ key, locale }: EmailTemplate, desk: Desk) {
  const queries = useQueryClient();
  const [told, tell] = useState("");
  const [dialog, setDialog] = useState<DialogName | null>(null);

  const save = useCallback(async (): Promise<boolean> => {
    const place = templateIn(key, locale);
    if (!desk.snapshot().dirty) {
      tell("Everything is saved.");
      return true;
    }
    tell("Saving…");
    if (await desk.save()) {
      tell(savedAs(queries.getQueryData(place.queryKey)));
      return true;
    }
    tell("");
    if (isConflict(desk.snapshot().error)) {
      // Where it cannot be had now, the notice that the save failed stays.
      const theirs = await queries.fetchQuery({ ...place, staleTime: 0 }).catch(() => null);
      if (theirs) setDialog("conflict");
    }
    return false;
  }, [queries, desk, key, locale]);

  const open = async (name: DialogName) => {
    const saved = name === "publish" || name === "test";
    if (!saved || !desk.snapshot().dirty || (await save())) setDialog(name);
  };

  useSaveWhenBack(desk, save);
  useSaveKey(save);
  return { save, told, tell, dialog, open, close: () => setDialog(null) };
}

function savedAs(template: EmailTemplate | undefined): string {
  const found = template?.draft?.diagnostics.filter(({ severity }) => severity === "error") ?? [];
  return count(found).errors > 0 ? `Saved. It cannot be published yet: ${countInWords(found)}.` : "Saved.";
}

/** Ctrl+S and ⌘S save wherever the focus is; an editor that heard them has done so already. */
function useSaveKey(save: () => void): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const isSave = (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "s";
      if (!isSave) return;
      if (!event.defaultPrevented) save();
      event.preventDefault();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [save]);
}
