import { infiniteQueryOptions } from "@tanstack/react-query";
import { listCapturedEmailsQueryKey, readCapturedEmailOptions } from "@/client/@tanstack/react-query.gen";
import { listCapturedEmails } from "@/client/sdk.gen";

const AT_ONCE = 30;

/** The mail that was kept, the newest first, page after page. */
export const mailbox = () =>
  infiniteQueryOptions({
    queryKey: listCapturedEmailsQueryKey(),
    queryFn: async ({ pageParam, signal }) =>
      (await listCapturedEmails({ query: { limit: AT_ONCE, cursor: pageParam }, signal })).data,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

/** One mail; it never changes. */
export const mail = (id: string) => ({
  ...readCapturedEmailOptions({ path: { email_id: id } }),
  staleTime: Number.POSITIVE_INFINITY,
});
