import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useRef } from "react";
import { readTemplateQueryKey } from "@/client/@tanstack/react-query.gen";
import { saveTemplateSamples } from "@/client/sdk.gen";
import type { EmailTemplate } from "@/client/types.gen";
import { toastFailed } from "@/lib/toasts";

/** Milliseconds without a change, after which sample data is saved. */
const PAUSE = 800;

type Samples = Record<string, unknown>;

/** Saves sample data a moment after the last change; at once when nobody looks at it any more. */
export function useSaveSamples(templateKey: string) {
  const queries = useQueryClient();
  const waiting = useRef<{ timer: ReturnType<typeof setTimeout>; save: () => void }>(undefined);
  const { mutate, ...state } = useMutation({
    // One after another: the last is what stays.
    scope: { id: `samples of ${templateKey}` },
    mutationFn: ({ key, samples }: { key: string; samples: Samples }) =>
      saveTemplateSamples({ path: { key }, body: { variables: samples } }),
    onSuccess: (_, { key, samples }) => {
      // In every language; what else is there of a template stays as it was read.
      const [{ _id }] = readTemplateQueryKey({ path: { key } });
      const queryKey = [{ _id, path: { key } }];
      queries.setQueriesData<EmailTemplate>({ queryKey }, (there) => there && { ...there, samples });
    },
    onError: (error) => toastFailed("The sample data was not saved", error),
  });
  const flush = useEffectEvent(() => waiting.current?.save());
  useEffect(() => () => flush(), []);

  const save = (samples: Samples) => {
    clearTimeout(waiting.current?.timer);
    const now = () => {
      clearTimeout(waiting.current?.timer);
      waiting.current = undefined;
      mutate({ key: templateKey, samples });
    };
    waiting.current = { timer: setTimeout(now, PAUSE), save: now };
  };
  return { save, ...state };
}
