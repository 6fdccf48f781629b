import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { loginMutation } from "@/client/@tanstack/react-query.gen";
import { register } from "@/client/sdk.gen";
import type { SignIn } from "@/client/types.gen";
import { safeRedirect } from "@/lib/redirects";
import { toastDone } from "@/lib/toasts";

export function useLogin(redirect: string | undefined) {
  return useMutation({ ...loginMutation(), onSuccess: useEnterApp(redirect) });
}

/** Creates an account and signs in, where registration is open. */
export function useRegister(redirect: string | undefined) {
  return useMutation({
    mutationFn: async (credentials: { email: string; password: string }) =>
      (await register({ body: { ...credentials, transport: "cookie" } })).data as SignIn,
    onSuccess: useEnterApp(redirect),
  });
}

/** Asks for an account, where the email address has to be confirmed first. */
export function useRequestRegistration() {
  return useMutation({
    mutationFn: async (email: string) => void (await register({ body: { email } })),
  });
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
