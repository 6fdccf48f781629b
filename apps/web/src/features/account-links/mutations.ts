import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import {
  disownSession,
  requestEmailVerification,
  requestPasswordReset,
  resetPassword,
  verifyEmail,
} from "@/client/sdk.gen";
import { ApiError } from "@/lib/errors";
import { forget } from "@/lib/link-tokens";
import { toastDone } from "@/lib/toasts";
import { keepReport } from "./stored-report";

/** Signs out every device of whom the link was sent to. */
export function useReportNotMe() {
  const queries = useQueryClient();
  const send = useOneAtATime(async (token: string) => (await disownSession({ body: { token } })).data);
  return useMutation({
    mutationFn: send,
    onSuccess: (answer) => {
      // A reload must not lose the one way to the new password.
      keepReport(answer);
      forget("/not-me");
      queries.removeQueries();
    },
  });
}

/** Sets the password that was chosen; `name` is what its token is kept under. */
export function useResetPassword(name: string) {
  const queries = useQueryClient();
  const send = useOneAtATime(
    async (body: { token: string; password: string }) => void (await resetPassword({ body })),
  );
  return useMutation({
    mutationFn: send,
    onSuccess: () => {
      forget(name);
      queries.removeQueries();
    },
  });
}

export function useVerifyEmail() {
  const queries = useQueryClient();
  const send = useOneAtATime(async (token: string) => void (await verifyEmail({ body: { token } })));
  return useMutation({
    mutationFn: send,
    onSuccess: () => {
      forget("/verify-email");
      return queries.invalidateQueries();
    },
  });
}

/** Sends the link that confirms one's address once more. */
export function useSendVerification() {
  const queries = useQueryClient();
  const send = useOneAtATime<void, void>(async () => void (await requestEmailVerification()));
  return useMutation({
    mutationFn: send,
    onError: (error) => {
      if (!(error instanceof ApiError) || error.status !== 409) return;
      // It was confirmed meanwhile, in another tab or on another device.
      toastDone("Your address is confirmed already");
      return queries.invalidateQueries();
    },
  });
}

export function useForgotPassword() {
  const send = useOneAtATime(async (email: string) => void (await requestPasswordReset({ body: { email } })));
  return useMutation({ mutationFn: send });
}

/** Sends once: a press while the answer is on its way waits for the same answer. */
function useOneAtATime<Asked, Answer>(send: (asked: Asked) => Promise<Answer>) {
  const underWay = useRef<Promise<Answer> | null>(null);
  return (asked: Asked): Promise<Answer> => {
    underWay.current ??= send(asked).finally(() => {
      underWay.current = null;
    });
    return underWay.current;
  };
}
