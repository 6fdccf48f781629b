import { type QueryClient, useMutation, useQueryClient } from "@tanstack/react-query";
import { listEmailsQueryKey, readEmailQueryKey } from "@/client/@tanstack/react-query.gen";
import { cancelEmail, resendEmail } from "@/client/sdk.gen";
import { useStepUp } from "@/lib/step-up";

// The drawer, which covers toasts, shows the result of these.

/** Sends an email again, as a new one with its own id. */
export function useResendEmail() {
  const queryClient = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (id: string) => stepUp(async () => (await resendEmail({ path: { email_id: id } })).data),
    onSettled: (_, __, id) => refetch(queryClient, id),
  });
}

export function useCancelEmail() {
  const queryClient = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (id: string) => stepUp(async () => (await cancelEmail({ path: { email_id: id } })).data),
    onSettled: (_, __, id) => refetch(queryClient, id),
  });
}

function refetch(queryClient: QueryClient, id: string) {
  return Promise.all([
    queryClient.invalidateQueries({ queryKey: readEmailQueryKey({ path: { email_id: id } }) }),
    queryClient.invalidateQueries({ queryKey: listEmailsQueryKey() }),
  ]);
}
