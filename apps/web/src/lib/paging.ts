/** The rows that a list loads at a time. */
export const PAGE_SIZE = 30;

/** What the infinite queries of all lists have in common. */
export const paging = {
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page: { next_cursor: string | null }) => page.next_cursor ?? undefined,
};
