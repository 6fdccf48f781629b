import { createFileRoute } from "@tanstack/react-router";
import { RegisterForm } from "@/features/auth/register-form";
import { pageTitle } from "@/lib/page-title";
import { redirectParam } from "@/lib/search-params";

export const Route = createFileRoute("/register")({
  validateSearch: (search: Record<string, unknown>): { redirect?: string } => ({
    redirect: redirectParam(search.redirect),
  }),
  head: () => pageTitle("Create an account"),
  component: function RegisterRoute() {
    return <RegisterForm redirect={Route.useSearch().redirect} />;
  },
});
