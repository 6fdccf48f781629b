import { Link } from "@tanstack/react-router";
import { Alert } from "@/components/ui/alert";
import { type LoginSearch, whySignedOut } from "@/lib/redirects";
import { AuthCard } from "./auth-card";
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
          <Link
            to="/register"
            search={{ redirect: search.redirect }}
            className="font-medium text-brand underline underline-offset-4"
          >
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
      />
    </AuthCard>
  );
}
