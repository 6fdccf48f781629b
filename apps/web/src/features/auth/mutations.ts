import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { loginMutation, registerMutation } from "@/client/@tanstack/react-query.gen";
import type { SignIn } from "@/client/types.gen";
import { safeRedirect } from "@/lib/redirects";
import { toastDone } from "@/lib/toasts";

export function useLogin(redirect: string | undefined) {
  return useMutation({ ...loginMutation(), onSuccess: useEnter(redirect) });
}

export function useRegister(redirect: string | undefined) {
  return useMutation({ ...registerMutation(), onSuccess: useEnter(redirect) });
}

/** Goes where the person was going, with nothing left of whoever was signed in before. */
function useEnter(redirect: string | undefined) {
  const queries = useQueryClient();
  const router = useRouter();
  return async (signIn: SignIn) => {
    queries.clear();
    await router.navigate({ href: safeRedirect(redirect), replace: true });
    for (const session of signIn.evicted) {
      toastDone(`Signed out ${session.name}, to make room for this device`);
    }
  };
}
