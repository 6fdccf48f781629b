import { infiniteQueryOptions } from "@tanstack/react-query";
import { listApiKeysQueryKey } from "@/client/@tanstack/react-query.gen";
import { listApiKeys } from "@/client/sdk.gen";
import { PAGE_SIZE, paging } from "@/lib/paging";

/** The API keys, newest first. */
export const apiKeys = infiniteQueryOptions({
  ...paging,
  queryKey: [...listApiKeysQueryKey(), "pages"],
  queryFn: async ({ pageParam, signal }) =>
    (await listApiKeys({ query: { limit: PAGE_SIZE, cursor: pageParam }, signal })).data,
});
