import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { logoutMutation } from "@/client/@tanstack/react-query.gen";
import { toastDone, toastFailed } from "@/lib/toasts";

/** Signs this browser out and leaves for the login page, with nothing kept of the person. */
export function useLogout() {
  const queries = useQueryClient();
  const router = useRouter();
  return useMutation({
    ...logoutMutation(),
    onSuccess: async () => {
      await router.navigate({ to: "/login", replace: true });
      queries.clear();
      toastDone("You are signed out");
    },
    onError: (error) => toastFailed("Could not sign out", error),
  });
}
