import { type QueryClient, useMutation, useQueryClient } from "@tanstack/react-query";
import { listSessionsQueryKey } from "@/client/@tanstack/react-query.gen";
import { renameSession, revokeOtherSessions, revokeSession } from "@/client/sdk.gen";
import type { Session, SessionPage } from "@/client/types.gen";
import { ApiError } from "@/lib/errors";
import { useStepUp } from "@/lib/step-up";
import { toastDone, toastFailed } from "@/lib/toasts";
import { activeSessions } from "./queries";

/** One change after another: each is undone, and asks for a password, by itself. */
const CHANGES = { mutationKey: ["sessions"], scope: { id: "sessions" } };

/** Ends one device. Its row goes at once, and comes back into its place if that fails. */
export function useRevokeSession() {
  const queries = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    ...CHANGES,
    mutationFn: (session: Session) => stepUp(() => end(session)),
    onMutate: (session: Session) =>
      change(queries, (items) => items.filter((item) => item.id !== session.id)),
    onSuccess: (_, session) => toastDone(`Signed out ${session.name}`),
    onError: (error, session, before) => {
      restore(queries, before, session.id);
      toastFailed(`Could not sign out ${session.name}`, error);
    },
    onSettled: () => refetch(queries),
  });
}

/** Ends all devices but this one. `onDone` runs before the list loses them. */
export function useRevokeOtherSessions(onDone: () => void) {
  const queries = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    ...CHANGES,
    mutationFn: () => stepUp(async () => (await revokeOtherSessions()).data),
    onSuccess: ({ revoked }) => {
      toastDone(revoked === 1 ? "Signed out 1 other device" : `Signed out ${revoked} other devices`);
      onDone();
    },
    onError: (error) => toastFailed("Could not sign out the other devices", error),
    onSettled: () => refetch(queries),
  });
}

/** Gives a device a name of one's own; blank brings back what the browser says it is. */
export function useRenameSession() {
  const queries = useQueryClient();
  return useMutation({
    ...CHANGES,
    mutationFn: async ({ session, name }: { session: Session; name: string }) =>
      (await renameSession({ path: { session_id: session.id }, body: { name } })).data,
    onMutate: ({ session, name }) =>
      change(queries, (items) =>
        items.map((item) => (item.id === session.id && name.trim() ? { ...item, name: name.trim() } : item)),
      ),
    onSuccess: (session) => toastDone(`Renamed to ${session.name}`),
    onError: (error, { session }, before) => {
      restore(queries, before, session.id);
      toastFailed(`Could not rename ${session.name}`, error);
    },
    onSettled: () => refetch(queries),
  });
}

async function end(session: Session): Promise<void> {
  try {
    await revokeSession({ path: { session_id: session.id } });
  } catch (error) {
    // It is gone already: what was wanted.
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  }
}

async function change(queries: QueryClient, edit: (items: Session[]) => Session[]) {
  const { queryKey } = activeSessions();
  await queries.cancelQueries({ queryKey });
  const before = queries.getQueryData<SessionPage>(queryKey);
  queries.setQueryData<SessionPage>(queryKey, (page) => page && { ...page, items: edit(page.items) });
  return before;
}

/** Shows one device as it was, in its place; what else has changed since then stays. */
function restore(queries: QueryClient, before: SessionPage | undefined, id: string) {
  const at = before?.items.findIndex((item) => item.id === id) ?? -1;
  const was = before?.items[at];
  if (!before || !was) return;
  const above = new Set(before.items.slice(0, at).map((item) => item.id));
  queries.setQueryData<SessionPage>(activeSessions().queryKey, (page) => {
    if (!page) return page;
    const others = page.items.filter((item) => item.id !== id);
    const place = others.findLastIndex((item) => above.has(item.id)) + 1;
    return { ...page, items: others.toSpliced(place, 0, was) };
  });
}

function refetch(queries: QueryClient) {
  // While another change is under way, a refetch would undo what it shows already; the last one refetches.
  if (queries.isMutating({ mutationKey: CHANGES.mutationKey }) > 1) return;
  // Without a query the key matches the list with the ended ones too.
  return queries.invalidateQueries({ queryKey: listSessionsQueryKey() });
}
