import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useRef } from "react";
import { readTemplateQueryKey } from "@/client/@tanstack/react-query.gen";
import { saveTemplateSamples } from "@/client/sdk.gen";
import type { EmailTemplate } from "@/client/types.gen";
import { toastFailed } from "@/lib/toasts";

const DEBOUNCE_MS = 800;

type Samples = Record<string, unknown>;

/** Save sample data a moment after the last change, or at once when the panel is closed. */
export function useSaveSamples(templateKey: string) {
  const queries = useQueryClient();
  const waiting = useRef<{ timer: ReturnType<typeof setTimeout>; save: () => void }>(undefined);
  const { mutate, ...state } = useMutation({
    // Saves of one template run one after another, so that the last one wins.
    scope: { id: `samples of ${templateKey}` },
    mutationFn: ({ key, samples }: { key: string; samples: Samples }) =>
      saveTemplateSamples({ path: { key }, body: { variables: samples } }),
    onSuccess: (_, { key, samples }) => {
      // All languages share the sample data.
      const queryKey = readTemplateQueryKey({ path: { key } });
      queries.setQueriesData<EmailTemplate>({ queryKey }, (cached) => cached && { ...cached, samples });
    },
    onError: (error) => toastFailed("The sample data could not be saved", error),
  });
  const flush = useEffectEvent(() => waiting.current?.save());
  useEffect(() => () => flush(), []);

  const save = (samples: Samples) => {
    clearTimeout(waiting.current?.timer);
    const saveNow = () => {
      clearTimeout(waiting.current?.timer);
      waiting.current = undefined;
      mutate({ key: templateKey, samples });
    };
    waiting.current = { timer: setTimeout(saveNow, DEBOUNCE_MS), save: saveNow };
  };
  return { save, ...state };
}
