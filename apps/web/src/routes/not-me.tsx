import { createFileRoute } from "@tanstack/react-router";
import { NotMe } from "@/features/account-links/not-me";
import { takeToken } from "@/lib/link-tokens";
import { pageTitle } from "@/lib/page-title";

export const Route = createFileRoute("/not-me")({
  beforeLoad: ({ location }) => takeToken("/not-me", location.hash),
  head: () => pageTitle("This wasn't you?"),
  component: function NotMeRoute() {
    const { token } = Route.useRouteContext();
    return <NotMe key={token} token={token} />;
  },
});
