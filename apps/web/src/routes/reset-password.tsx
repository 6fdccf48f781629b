import { createFileRoute } from "@tanstack/react-router";
import { ResetPassword } from "@/features/account-links/reset-password";
import { takeToken } from "@/lib/link-tokens";

export const Route = createFileRoute("/reset-password")({
  beforeLoad: ({ location }) => takeToken("/reset-password", location.hash),
  head: () => ({ meta: [{ title: "New password · Gatepost" }] }),
  component: function ResetPasswordRoute() {
    const { token } = Route.useRouteContext();
    return <ResetPassword key={token} token={token} />;
  },
});
