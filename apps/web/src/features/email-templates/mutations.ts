import { type QueryClient, useMutation, useQueryClient } from "@tanstack/react-query";
import { listTemplatesQueryKey, readTemplateQueryKey } from "@/client/@tanstack/react-query.gen";
import {
  createTemplate,
  deleteTemplate,
  markTemplateSecrets,
  publishTemplate,
  restoreTemplateVersion,
  saveTemplateDraft,
  sendTestEmail,
} from "@/client/sdk.gen";
import type { CreateTemplate, EmailTemplate, SendTestEmail, TemplateEntry } from "@/client/types.gen";
import { ignoreNotFound } from "@/lib/errors";
import { useStepUp } from "@/lib/step-up";
import { toastDone, toastFailed } from "@/lib/toasts";
import type { TemplateContent } from "./editor/draft/content";
import { templateQuery, versionsQuery } from "./queries";

type TemplateLocale = Pick<EmailTemplate, "key" | "locale">;

/** Create a custom template. The form shows the errors. */
export function useCreateTemplate() {
  const queries = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: ({ body, locale }: { body: CreateTemplate; locale: string }) =>
      stepUp(async () => (await createTemplate({ body, query: { locale } })).data),
    onSuccess: (template) => {
      toastDone(`Created “${template.name}”`);
      return queries.invalidateQueries({ queryKey: listTemplatesQueryKey() });
    },
  });
}

interface DeleteOptions {
  /** Runs before the template is fetched again. */
  onDeleted?: () => void;
  /** Shows errors as toasts; without it the caller shows them. */
  toastErrors?: boolean;
}

/** Delete a custom template, or reset a built-in one. A template that is already gone counts as deleted. */
export function useDeleteTemplate({ onDeleted, toastErrors }: DeleteOptions = {}) {
  const queries = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: ({ key }: Pick<TemplateEntry, "key" | "name" | "source">) =>
      stepUp(() => ignoreNotFound(deleteTemplate({ path: { key } }))),
    onSuccess: (_, { key, name, source }) => {
      toastDone(source === "custom" ? `Deleted “${name}”` : `“${name}” was reset to the built-in template`);
      onDeleted?.();
      const queryKey = readTemplateQueryKey({ path: { key } });
      queries.removeQueries({ queryKey, type: "inactive" });
      if (source === "builtin") void queries.invalidateQueries({ queryKey });
    },
    onError: (error, { name, source }) => {
      const action = source === "custom" ? "deleted" : "reset";
      if (toastErrors) toastFailed(`“${name}” could not be ${action}`, error);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: listTemplatesQueryKey() }),
  });
}

/** Save a draft if the template still has the given ETag. */
export function useSaveDraft({ key, locale }: TemplateLocale) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ content, etag }: { content: TemplateContent; etag: string }) =>
      (await saveTemplateDraft({ ...at(key, locale), headers: ifMatch(etag), body: content })).data,
    onSuccess: (saved) => cacheTemplate(queries, saved),
  });
}

/** Publish the draft if it still has the given ETag. */
export function usePublish({ key, locale }: TemplateLocale) {
  const queries = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (etag: string) =>
      stepUp(async () => (await publishTemplate({ ...at(key, locale), headers: ifMatch(etag) })).data),
    onSuccess: ({ version }) => toastDone(`Published version ${version}`),
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: templateQuery(key, locale).queryKey }),
        queries.invalidateQueries({ queryKey: versionsQuery(key, locale).queryKey }),
        queries.invalidateQueries({ queryKey: listTemplatesQueryKey() }),
      ]),
  });
}

/** Say whether the emails of a template contain secrets. */
export function useMarkSecrets({ key }: TemplateLocale) {
  const queries = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (contains: boolean) =>
      stepUp(() => markTemplateSecrets({ path: { key }, body: { contains_secrets: contains } })),
    onSuccess: (_, contains) => {
      // All languages share the mark.
      const queryKey = readTemplateQueryKey({ path: { key } });
      queries.setQueriesData<EmailTemplate>(
        { queryKey },
        (cached) => cached && { ...cached, contains_secrets: contains },
      );
      void queries.invalidateQueries({ queryKey: listTemplatesQueryKey() });
      toastDone(contains ? "Emails of this template are hidden" : "Emails of this template are shown");
    },
  });
}

/** Make an old version the draft if the template still has the given ETag. */
export function useRestoreVersion({ key, locale }: TemplateLocale) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ version, etag }: { version: number; etag: string }) => {
      const { path, query } = at(key, locale);
      const request = { path: { ...path, version }, query, headers: ifMatch(etag) };
      return (await restoreTemplateVersion(request)).data;
    },
    onSuccess: async (restored, { version }) => {
      await cacheTemplate(queries, restored);
      toastDone(`Restored version ${version} as the draft`);
    },
    onError: () => queries.invalidateQueries({ queryKey: templateQuery(key, locale).queryKey }),
  });
}

/** Send a test email made from the current source. */
export function useSendTest({ key, locale }: TemplateLocale) {
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (body: SendTestEmail) =>
      stepUp(async () => (await sendTestEmail({ ...at(key, locale), body })).data),
  });
}

function at(key: string, locale: string) {
  return { path: { key }, query: { locale } };
}

function ifMatch(etag: string) {
  return { "if-match": `"${etag}"` };
}

async function cacheTemplate(queries: QueryClient, saved: EmailTemplate): Promise<void> {
  const { queryKey } = templateQuery(saved.key, saved.locale);
  // A request that is still running may answer with the state before this change.
  await queries.cancelQueries({ queryKey });
  queries.setQueryData(queryKey, saved);
  void queries.invalidateQueries({ queryKey: listTemplatesQueryKey() });
}
