import { type QueryClient, useMutation, useQueryClient } from "@tanstack/react-query";
import { listTemplatesQueryKey, readTemplateQueryKey } from "@/client/@tanstack/react-query.gen";
import {
  deleteTemplate,
  publishTemplate,
  restoreTemplateVersion,
  saveTemplateDraft,
  sendTestEmail,
} from "@/client/sdk.gen";
import type { EmailTemplate, SendTestEmail } from "@/client/types.gen";
import { useStepUp } from "@/lib/step-up";
import { toastDone } from "@/lib/toasts";
import { template, versions } from "../queries";
import type { Copy } from "./draft/current-source";

interface Place {
  key: string;
  locale: string;
}

/** Saves a draft in place of what has that tag. The page says itself what came of it. */
export function useSaveDraft({ key, locale }: Place) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ copy, etag }: { copy: Copy; etag: string }) =>
      (await saveTemplateDraft({ ...at(key, locale), headers: ifMatch(etag), body: copy })).data,
    onSuccess: (saved) => remember(queries, saved),
  });
}

/** Publishes the draft of that tag. */
export function usePublish({ key, locale }: Place) {
  const queries = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (etag: string) =>
      stepUp(async () => (await publishTemplate({ ...at(key, locale), headers: ifMatch(etag) })).data),
    onSuccess: ({ version }) => toastDone(`Published version ${version}`),
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: template(key, locale).queryKey }),
        queries.invalidateQueries({ queryKey: versions(key, locale).queryKey }),
        queries.invalidateQueries({ queryKey: listTemplatesQueryKey() }),
      ]),
  });
}

/** Makes a draft of an old version, in place of what has that tag. */
export function useRestore({ key, locale }: Place) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ version, etag }: { version: number; etag: string }) => {
      const { path, query } = at(key, locale);
      const answer = await restoreTemplateVersion({
        path: { ...path, version },
        query,
        headers: ifMatch(etag),
      });
      return answer.data;
    },
    onSuccess: async (restored, { version }) => {
      await remember(queries, restored);
      toastDone(`Version ${version} is the draft now`);
    },
    onError: () => queries.invalidateQueries({ queryKey: template(key, locale).queryKey }),
  });
}

/** Sends the words that stand to somebody, to look at. */
export function useSendTest({ key, locale }: Place) {
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (body: SendTestEmail) =>
      stepUp(async () => (await sendTestEmail({ ...at(key, locale), body })).data),
  });
}

/** Deletes a template of one's own; a built-in one goes back to its words. `onGone` runs before these are asked for. */
export function useDelete({ key, name, source }: EmailTemplate, onGone: () => void) {
  const queries = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: () => stepUp(() => deleteTemplate({ path: { key } })),
    onSuccess: () => {
      const builtin = source === "builtin";
      toastDone(builtin ? `“${name}” has its built-in words again` : `Deleted “${name}”`);
      onGone();
      if (builtin) void queries.invalidateQueries({ queryKey: readTemplateQueryKey({ path: { key } }) });
      void queries.invalidateQueries({ queryKey: listTemplatesQueryKey() });
    },
  });
}

function at(key: string, locale: string) {
  return { path: { key }, query: { locale } };
}

function ifMatch(etag: string) {
  return { "if-match": `"${etag}"` };
}

async function remember(queries: QueryClient, saved: EmailTemplate): Promise<void> {
  const { queryKey } = template(saved.key, saved.locale);
  // What is on its way was asked for before.
  await queries.cancelQueries({ queryKey });
  queries.setQueryData(queryKey, saved);
  void queries.invalidateQueries({ queryKey: listTemplatesQueryKey() });
}
