import { useMutation, useQueryClient } from "@tanstack/react-query";
import { listApiKeysQueryKey } from "@/client/@tanstack/react-query.gen";
import { revokeApiKey, takeOverApiKey } from "@/client/sdk.gen";
import type { ApiKey } from "@/client/types.gen";
import { useStepUp } from "@/lib/step-up";
import { toastDone, toastFailed } from "@/lib/toasts";

export function useTakeOverApiKey() {
  const queryClient = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: ({ id }: ApiKey) => stepUp(() => takeOverApiKey({ path: { key_id: id } })),
    onSuccess: (_, { name }) => toastDone(`You own ${name} now`),
    onError: (error, { name }) => toastFailed(`Could not take over ${name}`, error),
    onSettled: () => queryClient.invalidateQueries({ queryKey: listApiKeysQueryKey() }),
  });
}

export function useRevokeApiKey() {
  const queryClient = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: ({ id }: ApiKey) => stepUp(() => revokeApiKey({ path: { key_id: id } })),
    onSuccess: (_, { name }) => toastDone(`Revoked ${name}`),
    onError: (error, { name }) => toastFailed(`Could not revoke ${name}`, error),
    onSettled: () => queryClient.invalidateQueries({ queryKey: listApiKeysQueryKey() }),
  });
}
