import { useMutation, useQueryClient } from "@tanstack/react-query";
import { listTemplatesQueryKey, readTemplateQueryKey } from "@/client/@tanstack/react-query.gen";
import { createTemplate, deleteTemplate } from "@/client/sdk.gen";
import type { CreateTemplate, TemplateEntry } from "@/client/types.gen";
import { ApiError } from "@/lib/errors";
import { useStepUp } from "@/lib/step-up";
import { toastDone, toastFailed } from "@/lib/toasts";

/** Makes a template of one's own. What is wrong with it is for the form to say. */
export function useCreateTemplate() {
  const queries = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: ({ body, locale }: { body: CreateTemplate; locale: string }) =>
      stepUp(async () => (await createTemplate({ body, query: { locale } })).data),
    onSuccess: (template) => {
      toastDone(`Created ${template.name}`);
      return queries.invalidateQueries({ queryKey: listTemplatesQueryKey() });
    },
  });
}

/** Deletes a template of one's own; a built-in one goes back to its default words. */
export function useDeleteTemplate() {
  const queries = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (template: TemplateEntry) => stepUp(() => remove(template.key)),
    onSuccess: (_, { source, name }) => toastDone(source === "custom" ? `Deleted ${name}` : `Reset ${name}`),
    onError: (error, { source, name }) =>
      toastFailed(`Could not ${source === "custom" ? "delete" : "reset"} ${name}`, error),
    onSettled: (_, __, { key }) => {
      queries.removeQueries({ queryKey: readTemplateQueryKey({ path: { key } }) });
      return queries.invalidateQueries({ queryKey: listTemplatesQueryKey() });
    },
  });
}

async function remove(key: string): Promise<void> {
  try {
    await deleteTemplate({ path: { key } });
  } catch (error) {
    // It is gone already: what was wanted.
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  }
}
