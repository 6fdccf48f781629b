import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import type { EmailTemplate } from "@/client/types.gen";
import { isTransient } from "@/lib/query-client";
import { useSaveDraft } from "../../mutations";
import { templateQuery } from "../../queries";
import { describeCount } from "../problems";
import { DraftStore, isConflict } from "./draft-store";
import { LocalDraftStorage } from "./local-draft";

/**
 * The draft of a template and how to save it. `status` is a sentence about the last save, read out when it changes.
 * `onConflict` is called after a save that failed because the template had changed, once the change is loaded.
 */
export function useDraft(template: EmailTemplate, userId: string, onConflict: () => void) {
  const { key, locale } = template;
  const queries = useQueryClient();
  const draft = useDraftStore(template, userId);
  const state = useSyncExternalStore(draft.subscribe, draft.snapshot);
  const [status, setStatus] = useState("");

  const save = useCallback(async (): Promise<boolean> => {
    if (!draft.snapshot().dirty) {
      setStatus("Everything is saved.");
      return true;
    }
    const query = templateQuery(key, locale);
    setStatus("Saving…");
    if (await draft.save()) {
      setStatus(savedStatus(queries.getQueryData(query.queryKey)));
      return true;
    }
    setStatus("");
    if (isConflict(draft.snapshot().saveError)) {
      // Without the other user's draft there is nothing to compare with; the alert about the failed save stays.
      const changed = await queries.fetchQuery({ ...query, staleTime: 0 }).catch(() => null);
      if (changed) onConflict();
    }
    return false;
  }, [queries, draft, key, locale, onConflict]);

  useEffect(() => {
    if (draft.sync(template))
      setStatus("The template was changed elsewhere. The editor shows the new content.");
  }, [draft, template]);
  useRetryOnline(draft, save);
  useSaveShortcut(save);
  return { draft, state, save, status, setStatus };
}

function useDraftStore(template: EmailTemplate, userId: string): DraftStore {
  const { mutateAsync } = useSaveDraft(template);
  const [draft] = useState(
    () =>
      new DraftStore(
        template,
        (content, etag) => mutateAsync({ content, etag }),
        new LocalDraftStorage(userId, template.key, template.locale),
      ),
  );
  useEffect(() => {
    window.addEventListener("pagehide", draft.flush);
    return () => {
      window.removeEventListener("pagehide", draft.flush);
      draft.flush();
    };
  }, [draft]);
  return draft;
}

/** Repeat a save that failed for lack of a connection, as soon as there is one. */
function useRetryOnline(draft: DraftStore, save: () => void): void {
  useEffect(() => {
    const retry = () => {
      if (isTransient(draft.snapshot().saveError)) save();
    };
    window.addEventListener("online", retry);
    return () => window.removeEventListener("online", retry);
  }, [draft, save]);
}

/** Save on Ctrl+S and ⌘S, wherever the focus is. A code editor handles the key itself. */
function useSaveShortcut(save: () => void): void {
  useEffect(() => {
    const handleKeyDown = (event: KeyboardEvent) => {
      const isSave = (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "s";
      if (!isSave) return;
      if (!event.defaultPrevented) save();
      event.preventDefault();
    };
    window.addEventListener("keydown", handleKeyDown);
    return () => window.removeEventListener("keydown", handleKeyDown);
  }, [save]);
}

function savedStatus(template: EmailTemplate | undefined): string {
  const errors = template?.draft?.diagnostics.filter(({ severity }) => severity === "error") ?? [];
  return errors.length > 0 ? `Saved. Fix ${describeCount(errors)} before you publish.` : "Saved.";
}
