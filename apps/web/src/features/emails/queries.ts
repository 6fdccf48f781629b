import { infiniteQueryOptions, keepPreviousData } from "@tanstack/react-query";
import { listEmailsQueryKey, readEmailOptions } from "@/client/@tanstack/react-query.gen";
import { listEmails } from "@/client/sdk.gen";
import { isOnItsWay } from "./status-labels";
import type { Status } from "./statuses";

const AT_ONCE = 30;
const SOON = 4000;

export interface Filters {
  status?: Status;
  template?: string;
  /** The beginning of an address. */
  q?: string;
}

/** The e-mail log, the newest first, page after page; it is read again while something in it is on its way. */
export const emails = (filters: Filters) =>
  infiniteQueryOptions({
    queryKey: [...listEmailsQueryKey({ query: filters }), "pages"],
    queryFn: async ({ pageParam, signal }) =>
      (await listEmails({ query: { ...filters, limit: AT_ONCE, cursor: pageParam }, signal })).data,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.items.some((email) => isOnItsWay(email))) ? SOON : false,
  });

/** One message with all that is known of it. */
export const email = (id: string) => ({
  ...readEmailOptions({ path: { email_id: id } }),
  refetchInterval: ({ state }: { state: { data?: Parameters<typeof isOnItsWay>[0] } }) =>
    state.data && isOnItsWay(state.data) ? SOON : (false as const),
});
