import type { ReactNode } from "react";
import { LinkErrorMessage, linkErrorOf } from "./link-error";
import type { useResetPassword } from "./mutations";
import { NewPasswordForm } from "./new-password-form";

interface SetPasswordProps {
  token: string;
  reset: ReturnType<typeof useResetPassword>;
  /** Why a new password has to be set. */
  children: ReactNode;
}

/** Sets a new password with a token that another link was answered with. */
export function SetPassword({ token, reset, children }: SetPasswordProps) {
  const linkError = linkErrorOf(reset.error);
  if (linkError) return <LinkErrorMessage page="/reset-password" error={linkError} />;
  return (
    <>
      <p className="text-sm">{children}</p>
      <NewPasswordForm
        onSubmit={(password) => reset.mutate({ token, password })}
        error={reset.error}
        busy={reset.isPending}
      />
    </>
  );
}
