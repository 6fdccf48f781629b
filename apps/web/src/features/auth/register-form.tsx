import { Link } from "@tanstack/react-router";
import { AuthCard } from "@/components/auth-card";
import { Alert } from "@/components/ui/alert";
import { TEXT_LINK } from "@/components/ui/text-link";
import { CredentialsForm } from "./credentials-form";
import { useRegister } from "./mutations";
import { useRegistration } from "./queries";
import { RegisterByEmail } from "./register-by-email";

export function RegisterForm({ redirect }: { redirect: string | undefined }) {
  const registration = useRegistration();
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
      {registration === "open" ? <RegisterWithPassword redirect={redirect} /> : null}
      {registration === "confirm" ? <RegisterByEmail /> : null}
      {registration === "closed" ? (
        <Alert tone="notice">Registration is closed. Ask an admin for an account.</Alert>
      ) : null}
    </AuthCard>
  );
}

function RegisterWithPassword({ redirect }: { redirect: string | undefined }) {
  const register = useRegister(redirect);
  return (
    <CredentialsForm
      newAccount
      onSubmit={(credentials) => register.mutate(credentials)}
      error={register.error}
      busy={register.isPending}
      submit={register.isPending ? "Creating account…" : "Create account"}
    />
  );
}
