import { queryOptions } from "@tanstack/react-query";
import { readMe } from "@/client/sdk.gen";
import { isSignedOut } from "@/lib/errors";

/** The signed-in user, or null. On a page that is open to everyone, not being signed in is no error. */
export const visitor = () =>
  queryOptions({
    queryKey: ["visitor"],
    queryFn: async ({ signal }) => {
      try {
        return (await readMe({ signal })).data;
      } catch (error) {
        if (isSignedOut(error)) return null;
        throw error;
      }
    },
  });
