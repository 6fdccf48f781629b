import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { logoutMutation } from "@/client/@tanstack/react-query.gen";
import { toastDone, toastFailed } from "@/lib/toasts";

/** Signs this browser out and opens the login page; nothing of the user stays in the cache. */
export function useSignOut() {
  const queryClient = useQueryClient();
  const router = useRouter();
  return useMutation({
    ...logoutMutation(),
    onSuccess: async () => {
      await router.navigate({ to: "/login", replace: true });
      queryClient.clear();
      toastDone("You are signed out");
    },
    onError: (error) => toastFailed("Could not sign out", error),
  });
}
