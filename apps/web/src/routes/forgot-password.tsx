import { createFileRoute, useLocation } from "@tanstack/react-router";
import { ForgotPassword } from "@/features/account-links/forgot-password";

export const Route = createFileRoute("/forgot-password")({
  head: () => ({ meta: [{ title: "Forgot your password? · Gatepost" }] }),
  component: function ForgotPasswordRoute() {
    return <ForgotPassword typed={useLocation().state.email} />;
  },
});

declare module "@tanstack/react-router" {
  interface HistoryState {
    /** What was typed on the page before. */
    email?: string;
  }
}
