import { createFileRoute, Outlet, redirect } from "@tanstack/react-router";
import { readMeOptions } from "@/client/@tanstack/react-query.gen";
import { Shell } from "@/components/shell";
import { StepUp } from "@/components/step-up";
import { UnverifiedEmailBanner } from "@/features/account-links/unverified-email-banner";
import { isSignedOut } from "@/lib/errors";
import { loginSearch } from "@/lib/redirects";

/** The pages of a signed-in user. */
export const Route = createFileRoute("/_app")({
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queryClient.ensureQueryData(readMeOptions());
    } catch (error) {
      if (!isSignedOut(error)) throw error;
      throw redirect({ to: "/login", search: loginSearch(error, location.href), replace: true });
    }
  },
  component: () => (
    <Shell banner={<UnverifiedEmailBanner />}>
      <StepUp>
        <Outlet />
      </StepUp>
    </Shell>
  ),
});
