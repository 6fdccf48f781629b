import { infiniteQueryOptions, keepPreviousData } from "@tanstack/react-query";
import { listSuppressionsQueryKey } from "@/client/@tanstack/react-query.gen";
import { listSuppressions } from "@/client/sdk.gen";

const AT_ONCE = 30;

/** The addresses that are not written to, the newest first; `q` is the beginning of an address. */
export const suppressions = (q: string | undefined) =>
  infiniteQueryOptions({
    queryKey: [...listSuppressionsQueryKey({ query: { q } }), "pages"],
    queryFn: async ({ pageParam, signal }) =>
      (await listSuppressions({ query: { q, limit: AT_ONCE, cursor: pageParam }, signal })).data,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  });
