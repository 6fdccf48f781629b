import { infiniteQueryOptions } from "@tanstack/react-query";
import { listCapturedEmailsQueryKey, readCapturedEmailOptions } from "@/client/@tanstack/react-query.gen";
import { listCapturedEmails } from "@/client/sdk.gen";
import { PAGE_SIZE, paging } from "@/lib/paging";

/** The captured emails, newest first. */
export const capturedEmails = () =>
  infiniteQueryOptions({
    ...paging,
    queryKey: listCapturedEmailsQueryKey(),
    queryFn: async ({ pageParam, signal }) =>
      (await listCapturedEmails({ query: { limit: PAGE_SIZE, cursor: pageParam }, signal })).data,
  });

/** One captured email, which never changes. */
export const capturedEmail = (id: string) => ({
  ...readCapturedEmailOptions({ path: { email_id: id } }),
  staleTime: Number.POSITIVE_INFINITY,
});
