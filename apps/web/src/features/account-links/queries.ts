import { queryOptions } from "@tanstack/react-query";
import { readMe } from "@/client/sdk.gen";
import { isSignedOut } from "@/lib/errors";

/** Who is signed in here; null: nobody is, which on a page for everybody is no reason to leave it. */
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
