import { useMutation, useQueryClient } from "@tanstack/react-query";
import { listSuppressionsQueryKey } from "@/client/@tanstack/react-query.gen";
import { deleteSuppression, suppressEmail } from "@/client/sdk.gen";
import type { SuppressEmail, Suppression } from "@/client/types.gen";
import { ignoreNotFound } from "@/lib/errors";
import { useStepUp } from "@/lib/step-up";
import { toastDone, toastFailed } from "@/lib/toasts";

/** Suppresses an email address. Errors are shown by the form. */
export function useAddSuppression() {
  const queryClient = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (body: SuppressEmail) => stepUp(async () => (await suppressEmail({ body })).data),
    onSuccess: ({ email }) => {
      toastDone(`Suppressed ${email}`);
      return queryClient.invalidateQueries({ queryKey: listSuppressionsQueryKey() });
    },
  });
}

export function useRemoveSuppression() {
  const queryClient = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: ({ id }: Suppression) =>
      stepUp(() => ignoreNotFound(deleteSuppression({ path: { suppression_id: id } }))),
    onSuccess: (_, { email }) => toastDone(`Removed the suppression of ${email}`),
    onError: (error, { email }) => toastFailed(`Could not remove the suppression of ${email}`, error),
    onSettled: () => queryClient.invalidateQueries({ queryKey: listSuppressionsQueryKey() }),
  });
}
