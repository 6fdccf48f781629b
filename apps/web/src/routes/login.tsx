import { createFileRoute } from "@tanstack/react-router";
import { LoginForm } from "@/features/auth/login-form";
import { pageTitle } from "@/lib/page-title";
import type { LoginSearch } from "@/lib/redirects";
import { codeParam, redirectParam } from "@/lib/search-params";

export const Route = createFileRoute("/login")({
  validateSearch: (search: Record<string, unknown>): LoginSearch => ({
    reason: codeParam(search.reason),
    end_reason: codeParam(search.end_reason),
    redirect: redirectParam(search.redirect),
  }),
  head: () => pageTitle("Sign in"),
  component: function LoginRoute() {
    return <LoginForm search={Route.useSearch()} />;
  },
});
