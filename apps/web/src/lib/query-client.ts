import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError, isSignedOut } from "@/lib/errors";

/** Makes the cache of what the service said. `onSignedOut` is called when an answer shows that the session is over. */
export function createQueries(onSignedOut: (error: ApiError) => void): QueryClient {
  const onError = (error: unknown) => {
    if (isSignedOut(error)) onSignedOut(error);
  };
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: { staleTime: 10_000, retry: (failures, error) => failures < 2 && isPassing(error) },
      // Without a network a change fails at once: one that waits for it would look done.
      mutations: { retry: false, networkMode: "always" },
    },
  });
}

/** Tells whether a failure may pass by itself: no answer, or a service that is briefly away. */
export function isPassing(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status >= 500);
}
