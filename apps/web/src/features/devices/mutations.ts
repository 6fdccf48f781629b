import { type QueryClient, useMutation, useQueryClient } from "@tanstack/react-query";
import { listSessionsQueryKey } from "@/client/@tanstack/react-query.gen";
import { renameSession, revokeOtherSessions, revokeSession } from "@/client/sdk.gen";
import type { Session, SessionPage } from "@/client/types.gen";
import { ignoreNotFound } from "@/lib/errors";
import { useStepUp } from "@/lib/step-up";
import { toastDone, toastFailed } from "@/lib/toasts";
import { activeSessions } from "./queries";

/** Changes run one after another, so that each is undone, and asks for a password, on its own. */
const CHANGES = { mutationKey: ["sessions"], scope: { id: "sessions" } };

/** Signs one device out. Its row goes at once, and comes back to its position if that fails. */
export function useRevokeSession() {
  const queryClient = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    ...CHANGES,
    mutationFn: ({ id }: Session) =>
      stepUp(() => ignoreNotFound(revokeSession({ path: { session_id: id } }))),
    onMutate: (session: Session) =>
      updateList(queryClient, (items) => items.filter((item) => item.id !== session.id)),
    onSuccess: (_, session) => toastDone(`Signed out ${session.name}`),
    onError: (error, session, before) => {
      restore(queryClient, before, session.id);
      toastFailed(`Could not sign out ${session.name}`, error);
    },
    onSettled: () => refetch(queryClient),
  });
}

/** Signs out all devices except this one. `onDone` runs before their rows go. */
export function useRevokeOtherSessions(onDone: () => void) {
  const queryClient = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    ...CHANGES,
    mutationFn: () => stepUp(async () => (await revokeOtherSessions()).data),
    onSuccess: ({ revoked }) => {
      toastDone(revoked === 1 ? "Signed out 1 other device" : `Signed out ${revoked} other devices`);
      onDone();
    },
    onError: (error) => toastFailed("Could not sign out the other devices", error),
    onSettled: () => refetch(queryClient),
  });
}

/** Renames a device. A blank name restores the name of its browser. */
export function useRenameSession() {
  const queryClient = useQueryClient();
  return useMutation({
    ...CHANGES,
    mutationFn: async ({ session, name }: { session: Session; name: string }) =>
      (await renameSession({ path: { session_id: session.id }, body: { name } })).data,
    onMutate: ({ session, name }) =>
      updateList(queryClient, (items) =>
        items.map((item) => (item.id === session.id && name.trim() ? { ...item, name: name.trim() } : item)),
      ),
    onSuccess: (session) => toastDone(`Renamed to ${session.name}`),
    onError: (error, { session }, before) => {
      restore(queryClient, before, session.id);
      toastFailed(`Could not rename ${session.name}`, error);
    },
    onSettled: () => refetch(queryClient),
  });
}

/** Changes the cached list, and returns what it was before. */
async function updateList(queryClient: QueryClient, edit: (items: Session[]) => Session[]) {
  const { queryKey } = activeSessions();
  await queryClient.cancelQueries({ queryKey });
  const before = queryClient.getQueryData<SessionPage>(queryKey);
  queryClient.setQueryData<SessionPage>(queryKey, (page) => page && { ...page, items: edit(page.items) });
  return before;
}

/** Shows one device as it was before, at its position. Other changes since then stay. */
function restore(queryClient: QueryClient, before: SessionPage | undefined, id: string) {
  const index = before?.items.findIndex((item) => item.id === id) ?? -1;
  const session = before?.items[index];
  if (!before || !session) return;
  const above = new Set(before.items.slice(0, index).map((item) => item.id));
  queryClient.setQueryData<SessionPage>(activeSessions().queryKey, (page) => {
    if (!page) return page;
    const others = page.items.filter((item) => item.id !== id);
    const position = others.findLastIndex((item) => above.has(item.id)) + 1;
    return { ...page, items: others.toSpliced(position, 0, session) };
  });
}

function refetch(queryClient: QueryClient) {
  // While another change is pending, a refetch would undo what it already shows; the last change refetches.
  if (queryClient.isMutating({ mutationKey: CHANGES.mutationKey }) > 1) return;
  // Without a query the key also matches the list of the ended sessions.
  return queryClient.invalidateQueries({ queryKey: listSessionsQueryKey() });
}
