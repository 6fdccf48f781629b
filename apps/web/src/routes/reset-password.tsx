import { createFileRoute } from "@tanstack/react-router";
import { ResetPassword } from "@/features/account-links/reset-password";
import { takeToken } from "@/lib/link-tokens";
import { pageTitle } from "@/lib/page-title";

export const Route = createFileRoute("/reset-password")({
  beforeLoad: ({ location }) => takeToken("/reset-password", location.hash),
  head: () => pageTitle("Set a new password"),
  component: function ResetPasswordRoute() {
    const { token } = Route.useRouteContext();
    return <ResetPassword key={token} token={token} />;
  },
});
