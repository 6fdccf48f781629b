import { infiniteQueryOptions, keepPreviousData } from "@tanstack/react-query";
import { listEmailsQueryKey, readEmailOptions } from "@/client/@tanstack/react-query.gen";
import { listEmails } from "@/client/sdk.gen";
import type { Email } from "@/client/types.gen";
import { PAGE_SIZE, paging } from "@/lib/paging";
import { isInProgress } from "./email-state";
import type { Status } from "./status-labels";

const REFRESH_MS = 4000;

export interface Filters {
  status?: Status;
  template?: string;
  /** The start of a recipient's email address. */
  q?: string;
}

/** The email log, newest first. It reloads while an email in it is in progress. */
export const emails = (filters: Filters) =>
  infiniteQueryOptions({
    ...paging,
    queryKey: [...listEmailsQueryKey({ query: filters }), "pages"],
    queryFn: async ({ pageParam, signal }) =>
      (await listEmails({ query: { ...filters, limit: PAGE_SIZE, cursor: pageParam }, signal })).data,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.items.some((email) => isInProgress(email))) ? REFRESH_MS : false,
  });

/** One email with its content and its events. It reloads while it is in progress. */
export const email = (id: string) => ({
  ...readEmailOptions({ path: { email_id: id } }),
  refetchInterval: ({ state }: { state: { data?: Email } }) =>
    state.data && isInProgress(state.data) ? REFRESH_MS : (false as const),
});
