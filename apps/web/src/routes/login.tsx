import { createFileRoute } from "@tanstack/react-router";
import { LoginForm } from "@/features/auth/login-form";
import type { LoginSearch } from "@/lib/redirects";

export const Route = createFileRoute("/login")({
  validateSearch: (search: Record<string, unknown>): LoginSearch => ({
    reason: word(search.reason),
    end_reason: word(search.end_reason),
    redirect: typeof search.redirect === "string" ? search.redirect : undefined,
  }),
  head: () => ({ meta: [{ title: "Sign in · Gatepost" }] }),
  component: function Login() {
    return <LoginForm search={Route.useSearch()} />;
  },
});

function word(value: unknown): string | undefined {
  return typeof value === "string" && /^[a-z_]{1,40}$/.test(value) ? value : undefined;
}
