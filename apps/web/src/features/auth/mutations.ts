import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { loginMutation, registerMutation } from "@/client/@tanstack/react-query.gen";
import type { SignIn } from "@/client/types.gen";
import { safeRedirect } from "@/lib/redirects";
import { toastDone } from "@/lib/toasts";

export function useLogin(redirect: string | undefined) {
  return useMutation({ ...loginMutation(), onSuccess: useEnterApp(redirect) });
}

export function useRegister(redirect: string | undefined) {
  return useMutation({ ...registerMutation(), onSuccess: useEnterApp(redirect) });
}

/** Clears what is cached from the user before, and opens the page that was asked for. */
function useEnterApp(redirect: string | undefined) {
  const queryClient = useQueryClient();
  const router = useRouter();
  return async (signIn: SignIn) => {
    queryClient.clear();
    await router.navigate({ href: safeRedirect(redirect), replace: true });
    for (const session of signIn.evicted) {
      toastDone(`Signed out ${session.name} to make room for this device`);
    }
  };
}
