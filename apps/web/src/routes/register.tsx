import { createFileRoute } from "@tanstack/react-router";
import { RegisterForm } from "@/features/auth/register-form";

export const Route = createFileRoute("/register")({
  validateSearch: (search: Record<string, unknown>): { redirect?: string } => ({
    redirect: typeof search.redirect === "string" ? search.redirect : undefined,
  }),
  head: () => ({ meta: [{ title: "Create an account · Gatepost" }] }),
  component: function Register() {
    return <RegisterForm redirect={Route.useSearch().redirect} />;
  },
});
