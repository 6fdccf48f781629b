import { Link } from "@tanstack/react-router";
import { AuthCard } from "@/components/auth-card";
import { TEXT_LINK } from "@/components/ui/text-link";
import { LinkErrorMessage, linkErrorOf } from "./link-error";
import { useResetPassword } from "./mutations";
import { NewPasswordForm } from "./new-password-form";
import { PasswordChanged } from "./password-changed";

/** The page that the link in a "reset your password" email leads to. */
export function ResetPassword({ token }: { token: string | null }) {
  const reset = useResetPassword("/reset-password");
  const linkError = token === null ? "link_missing" : linkErrorOf(reset.error);
  return (
    <AuthCard
      title="Set a new password"
      footer={
        reset.isSuccess || linkError ? null : (
          <>
            Remember your password?{" "}
            <Link to="/login" className={TEXT_LINK}>
              Sign in
            </Link>
          </>
        )
      }
    >
      {reset.isSuccess ? (
        <PasswordChanged />
      ) : token === null || linkError ? (
        <LinkErrorMessage page="/reset-password" error={linkError ?? "link_missing"} />
      ) : (
        <>
          <p className="text-sm text-muted">
            After this, every device is signed out, and you sign in with the new password.
          </p>
          <NewPasswordForm
            onSubmit={(password) => reset.mutate({ token, password })}
            error={reset.error}
            busy={reset.isPending}
          />
        </>
      )}
    </AuthCard>
  );
}
