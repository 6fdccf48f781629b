import { type QueryClient, useMutation, useQueryClient } from "@tanstack/react-query";
import { listEmailsQueryKey, readEmailQueryKey } from "@/client/@tanstack/react-query.gen";
import { cancelEmail, resendEmail } from "@/client/sdk.gen";
import { useStepUp } from "@/lib/step-up";

/** Sends a message once more: another, with an id of its own. What comes of it the drawer says, which covers toasts. */
export function useResendEmail() {
  const queries = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (id: string) => stepUp(async () => (await resendEmail({ path: { email_id: id } })).data),
    onSettled: (_, __, id) => refetch(queries, id),
  });
}

/** Takes a message back that has not gone out. */
export function useCancelEmail() {
  const queries = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (id: string) => stepUp(async () => (await cancelEmail({ path: { email_id: id } })).data),
    onSettled: (_, __, id) => refetch(queries, id),
  });
}

function refetch(queries: QueryClient, id: string) {
  return Promise.all([
    queries.invalidateQueries({ queryKey: readEmailQueryKey({ path: { email_id: id } }) }),
    queries.invalidateQueries({ queryKey: listEmailsQueryKey() }),
  ]);
}
