import { createFileRoute, useLocation } from "@tanstack/react-router";
import { ForgotPassword } from "@/features/account-links/forgot-password";
import { pageTitle } from "@/lib/page-title";

export const Route = createFileRoute("/forgot-password")({
  head: () => pageTitle("Forgot your password?"),
  component: function ForgotPasswordRoute() {
    return <ForgotPassword typed={useLocation().state.email} />;
  },
});

declare module "@tanstack/react-router" {
  interface HistoryState {
    /** The email address that was typed on the login page. */
    email?: string;
  }
}
