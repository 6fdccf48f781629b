import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError, isSignedOut } from "@/lib/errors";

/** Creates the cache of what the service answered. `onSignedOut` is called when an answer shows that the session has ended. */
export function createQueryClient(onSignedOut: (error: ApiError) => void): QueryClient {
  const onError = (error: unknown) => {
    if (isSignedOut(error)) onSignedOut(error);
  };
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: { staleTime: 10_000, retry: (failures, error) => failures < 2 && isTransient(error) },
      // Without a network a mutation fails at once. One that waited for the network would look finished.
      mutations: { retry: false, networkMode: "always" },
    },
  });
}

/** Returns whether an error may go away by itself: no answer, or a service that is briefly unavailable. */
export function isTransient(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status >= 500);
}
