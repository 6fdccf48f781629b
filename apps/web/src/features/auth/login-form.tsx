import { Link } from "@tanstack/react-router";
import { AuthCard } from "@/components/auth-card";
import { Alert } from "@/components/ui/alert";
import { TEXT_LINK } from "@/components/ui/text-link";
import { type LoginSearch, whySignedOut } from "@/lib/redirects";
import { CredentialsForm } from "./credentials-form";
import { useLogin } from "./mutations";

export function LoginForm({ search }: { search: LoginSearch }) {
  const login = useLogin(search.redirect);
  const why = whySignedOut(search);
  return (
    <AuthCard
      title="Sign in"
      footer={
        <>
          No account yet?{" "}
          <Link to="/register" search={{ redirect: search.redirect }} className={TEXT_LINK}>
            Create one
          </Link>
        </>
      }
    >
      {why ? <Alert tone="notice">{why}</Alert> : null}
      <CredentialsForm
        onSubmit={(credentials) => login.mutate({ body: { ...credentials, transport: "cookie" } })}
        error={login.error}
        busy={login.isPending}
        submit={login.isPending ? "Signing in…" : "Sign in"}
        below={(typed) => (
          <Link
            to="/forgot-password"
            // Not in the address: that is written down in too many places.
            state={(before) => ({ ...before, email: typed() })}
            className={`justify-self-center text-sm ${TEXT_LINK}`}
          >
            Forgot your password?
          </Link>
        )}
      />
    </AuthCard>
  );
}
