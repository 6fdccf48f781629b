import { useMutation, useQueryClient } from "@tanstack/react-query";
import { chooseNotice } from "@/client/sdk.gen";
import type { Notice } from "@/client/types.gen";
import { toastFailed } from "@/lib/toasts";
import { notices } from "./queries";

/** One after another: of two presses on a switch the second is what stays. */
const CHANGES = { mutationKey: ["notices"], scope: { id: "notices" } };

/** Turns mails of one kind on or off. The switch moves at once, and back if that fails. */
export function useSetNotice() {
  const queries = useQueryClient();
  const { queryKey } = notices();
  const show = (key: string, enabled: boolean) =>
    queries.setQueryData(
      queryKey,
      (list) =>
        list && {
          ...list,
          items: list.items.map((item) => (item.key === key ? { ...item, enabled } : item)),
        },
    );
  return useMutation({
    ...CHANGES,
    mutationFn: ({ notice, enabled }: { notice: Notice; enabled: boolean }) =>
      chooseNotice({ path: { key: notice.key }, body: { enabled } }),
    onMutate: async ({ notice, enabled }) => {
      await queries.cancelQueries({ queryKey });
      show(notice.key, enabled);
    },
    onError: (error, { notice, enabled }) => {
      show(notice.key, !enabled);
      toastFailed(`Could not turn “${notice.name}” ${enabled ? "on" : "off"}`, error);
    },
    onSettled: () => {
      // While another change is under way, a refetch would undo what it shows already; the last one refetches.
      if (queries.isMutating({ mutationKey: CHANGES.mutationKey }) > 1) return;
      return queries.invalidateQueries({ queryKey });
    },
  });
}
