import { createFileRoute } from "@tanstack/react-router";
import { VerifyEmail } from "@/features/account-links/verify-email";
import { takeToken } from "@/lib/link-tokens";

export const Route = createFileRoute("/verify-email")({
  beforeLoad: ({ location }) => takeToken("/verify-email", location.hash),
  head: () => ({ meta: [{ title: "Confirm your address · Gatepost" }] }),
  component: function VerifyEmailRoute() {
    const { token } = Route.useRouteContext();
    return <VerifyEmail key={token} token={token} />;
  },
});
