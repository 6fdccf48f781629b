import { createFileRoute } from "@tanstack/react-router";
import { VerifyEmail } from "@/features/account-links/verify-email";
import { takeToken } from "@/lib/link-tokens";
import { pageTitle } from "@/lib/page-title";

export const Route = createFileRoute("/verify-email")({
  beforeLoad: ({ location }) => takeToken("/verify-email", location.hash),
  head: () => pageTitle("Confirm your email address"),
  component: function VerifyEmailRoute() {
    const { token } = Route.useRouteContext();
    return <VerifyEmail key={token} token={token} />;
  },
});
