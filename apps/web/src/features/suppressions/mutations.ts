import { useMutation, useQueryClient } from "@tanstack/react-query";
import { listSuppressionsQueryKey } from "@/client/@tanstack/react-query.gen";
import { deleteSuppression, suppressEmail } from "@/client/sdk.gen";
import type { SuppressEmail, Suppression } from "@/client/types.gen";
import { ApiError } from "@/lib/errors";
import { useStepUp } from "@/lib/step-up";
import { toastDone, toastFailed } from "@/lib/toasts";

/** Writes to an address no more. What is wrong with it is for the form to say. */
export function useAddSuppression() {
  const queries = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (body: SuppressEmail) => stepUp(async () => (await suppressEmail({ body })).data),
    onSuccess: ({ email }) => {
      toastDone(`Nothing is sent to ${email} any more`);
      return queries.invalidateQueries({ queryKey: listSuppressionsQueryKey() });
    },
  });
}

/** Writes to an address again. */
export function useRemoveSuppression() {
  const queries = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: ({ id }: Suppression) => stepUp(() => remove(id)),
    onSuccess: (_, { email }) => toastDone(`Mail to ${email} goes out again`),
    onError: (error, { email }) => toastFailed(`Could not take ${email} off the list`, error),
    onSettled: () => queries.invalidateQueries({ queryKey: listSuppressionsQueryKey() }),
  });
}

async function remove(id: string): Promise<void> {
  try {
    await deleteSuppression({ path: { suppression_id: id } });
  } catch (error) {
    // It is gone already: what was wanted.
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  }
}
