import { Link } from "@tanstack/react-router";
import { AuthCard } from "@/components/auth-card";
import { TEXT_LINK } from "@/components/ui/text-link";
import { CredentialsForm } from "./credentials-form";
import { useRegister } from "./mutations";

export function RegisterForm({ redirect }: { redirect: string | undefined }) {
  const register = useRegister(redirect);
  return (
    <AuthCard
      title="Create an account"
      footer={
        <>
          Already have an account?{" "}
          <Link to="/login" search={{ redirect }} className={TEXT_LINK}>
            Sign in
          </Link>
        </>
      }
    >
      <CredentialsForm
        newAccount
        onSubmit={(credentials) => register.mutate({ body: { ...credentials, transport: "cookie" } })}
        error={register.error}
        busy={register.isPending}
        submit={register.isPending ? "Creating account…" : "Create account"}
      />
    </AuthCard>
  );
}
