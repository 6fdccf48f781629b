import { useMutation, useQueryClient } from "@tanstack/react-query";
import { updateNotification } from "@/client/sdk.gen";
import type { Notification } from "@/client/types.gen";
import { toastFailed } from "@/lib/toasts";
import { notifications } from "./queries";

/** Changes run one after another, so that the last click on a switch wins. */
const CHANGES = { mutationKey: ["notifications"], scope: { id: "notifications" } };

/** Turns a notification on or off. The switch moves at once, and back if that fails. */
export function useUpdateNotification() {
  const queryClient = useQueryClient();
  const { queryKey } = notifications();
  const show = (key: string, enabled: boolean) =>
    queryClient.setQueryData(
      queryKey,
      (list) =>
        list && {
          ...list,
          items: list.items.map((item) => (item.key === key ? { ...item, enabled } : item)),
        },
    );
  return useMutation({
    ...CHANGES,
    mutationFn: ({ notification, enabled }: { notification: Notification; enabled: boolean }) =>
      updateNotification({ path: { key: notification.key }, body: { enabled } }),
    onMutate: async ({ notification, enabled }) => {
      await queryClient.cancelQueries({ queryKey });
      show(notification.key, enabled);
    },
    onError: (error, { notification, enabled }) => {
      show(notification.key, !enabled);
      toastFailed(`Could not turn “${notification.name}” ${enabled ? "on" : "off"}`, error);
    },
    onSettled: () => {
      // While another change is pending, a refetch would undo what it already shows; the last change refetches.
      if (queryClient.isMutating({ mutationKey: CHANGES.mutationKey }) > 1) return;
      return queryClient.invalidateQueries({ queryKey });
    },
  });
}
