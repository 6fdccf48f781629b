import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import {
  reportSession,
  requestEmailVerification,
  requestPasswordReset,
  resetPassword,
  verifyEmail,
} from "@/client/sdk.gen";
import { ApiError } from "@/lib/errors";
import { removeTabValue } from "@/lib/tab-storage";
import { toastDone } from "@/lib/toasts";
import { CONFIRMATION, REPORT, storeAnswer } from "./stored-answer";

/** Reports a sign-in, which signs out every device of the user whom the link was sent to. */
export function useReportSession() {
  const queryClient = useQueryClient();
  const report = useSingleRequest(async (token: string) => (await reportSession({ body: { token } })).data);
  return useMutation({
    mutationFn: report,
    onSuccess: (answer) => {
      storeAnswer(REPORT, answer);
      removeTabValue("/not-me");
      queryClient.removeQueries();
    },
  });
}

/** Sets a new password. Afterwards the tab's value `storedAs`, which has the token, is removed. */
export function useResetPassword(storedAs: string) {
  const queryClient = useQueryClient();
  const reset = useSingleRequest(
    async (body: { token: string; password: string }) => void (await resetPassword({ body })),
  );
  return useMutation({
    mutationFn: reset,
    onSuccess: () => {
      removeTabValue(storedAs);
      queryClient.removeQueries();
    },
  });
}

export function useVerifyEmail() {
  const queryClient = useQueryClient();
  const verify = useSingleRequest(async (token: string) => (await verifyEmail({ body: { token } })).data);
  return useMutation({
    mutationFn: verify,
    onSuccess: (answer) => {
      removeTabValue("/verify-email");
      if (answer.reset_token === null) return queryClient.invalidateQueries();
      storeAnswer(CONFIRMATION, answer);
      queryClient.removeQueries();
    },
  });
}

/** Sends the signed-in user another link to confirm their email address. */
export function useSendVerification() {
  const queryClient = useQueryClient();
  const send = useSingleRequest<void, void>(async () => void (await requestEmailVerification()));
  return useMutation({
    mutationFn: send,
    onError: (error) => {
      if (!(error instanceof ApiError) || error.status !== 409) return;
      // It was confirmed in the meantime, in another tab or on another device.
      toastDone("Your email address is already confirmed");
      return queryClient.invalidateQueries();
    },
  });
}

export function useForgotPassword() {
  const send = useSingleRequest(
    async (email: string) => void (await requestPasswordReset({ body: { email } })),
  );
  return useMutation({ mutationFn: send });
}

/** Wraps a request so that further calls while it is pending wait for the same answer. */
function useSingleRequest<Variables, Answer>(send: (variables: Variables) => Promise<Answer>) {
  const pending = useRef<Promise<Answer> | null>(null);
  return (variables: Variables): Promise<Answer> => {
    pending.current ??= send(variables).finally(() => {
      pending.current = null;
    });
    return pending.current;
  };
}
