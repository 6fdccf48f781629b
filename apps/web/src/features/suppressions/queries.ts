import { infiniteQueryOptions, keepPreviousData } from "@tanstack/react-query";
import { listSuppressionsQueryKey } from "@/client/@tanstack/react-query.gen";
import { listSuppressions } from "@/client/sdk.gen";
import { PAGE_SIZE, paging } from "@/lib/paging";

/** The suppressed email addresses, newest first; `q` is the start of an email address. */
export const suppressions = (q: string | undefined) =>
  infiniteQueryOptions({
    ...paging,
    queryKey: [...listSuppressionsQueryKey({ query: { q } }), "pages"],
    queryFn: async ({ pageParam, signal }) =>
      (await listSuppressions({ query: { q, limit: PAGE_SIZE, cursor: pageParam }, signal })).data,
    placeholderData: keepPreviousData,
  });
