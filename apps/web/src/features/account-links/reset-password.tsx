import { Link } from "@tanstack/react-router";
import { AuthCard } from "@/components/auth-card";
import { TEXT_LINK } from "@/components/ui/text-link";
import { LinkTrouble, troubleOf } from "./link-error";
import { useResetPassword } from "./mutations";
import { ChoosePassword } from "./new-password-form";
import { PasswordChanged } from "./password-changed";

/** Where the link of the mail "reset your password" leads. */
export function ResetPassword({ token }: { token: string | null }) {
  const reset = useResetPassword("/reset-password");
  const trouble = token === null ? "link_missing" : troubleOf(reset.error);
  return (
    <AuthCard
      title="New password"
      footer={
        reset.isSuccess || trouble ? null : (
          <>
            Remembered it?{" "}
            <Link to="/login" className={TEXT_LINK}>
              Sign in
            </Link>
          </>
        )
      }
    >
      {reset.isSuccess ? (
        <PasswordChanged />
      ) : token === null || trouble ? (
        <LinkTrouble page="/reset-password" trouble={trouble ?? "link_missing"} />
      ) : (
        <>
          <p className="text-sm text-muted">
            Once it is set, every device is signed out, and you sign in with the new one.
          </p>
          <ChoosePassword
            onSubmit={(password) => reset.mutate({ token, password })}
            error={reset.error}
            busy={reset.isPending}
          />
        </>
      )}
    </AuthCard>
  );
}
