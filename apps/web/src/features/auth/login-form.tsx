import { Link } from "@tanstack/react-router";
import { AuthCard } from "@/components/auth-card";
import { Alert } from "@/components/ui/alert";
import { TEXT_LINK } from "@/components/ui/text-link";
import { type LoginSearch, signOutMessage } from "@/lib/redirects";
import { CredentialsForm } from "./credentials-form";
import { useLogin } from "./mutations";

export function LoginForm({ search }: { search: LoginSearch }) {
  const login = useLogin(search.redirect);
  const message = signOutMessage(search);
  return (
    <AuthCard
      title="Sign in"
      footer={
        <>
          No account yet?{" "}
          <Link to="/register" search={{ redirect: search.redirect }} className={TEXT_LINK}>
            Create an account
          </Link>
        </>
      }
    >
      {message ? <Alert tone="notice">{message}</Alert> : null}
      <CredentialsForm
        onSubmit={(credentials) => login.mutate({ body: { ...credentials, transport: "cookie" } })}
        error={login.error}
        busy={login.isPending}
        submit={login.isPending ? "Signing in…" : "Sign in"}
        below={(typedEmail) => (
          <Link
            to="/forgot-password"
            // In the state rather than in the URL, which ends up in logs.
            state={(before) => ({ ...before, email: typedEmail() })}
            className={`justify-self-center text-sm ${TEXT_LINK}`}
          >
            Forgot your password?
          </Link>
        )}
      />
    </AuthCard>
  );
}
