import { createFileRoute } from "@tanstack/react-router";
import { MailboxPage, type MailboxSearch } from "@/features/mailbox/mailbox-page";
import { pageTitle } from "@/lib/page-title";
import { idParam } from "@/lib/search-params";

export const Route = createFileRoute("/_app/mailbox")({
  validateSearch: (search: Record<string, unknown>): MailboxSearch => ({ email: idParam(search.email) }),
  head: () => pageTitle("Mailbox"),
  component: function MailboxRoute() {
    return <MailboxPage selected={Route.useSearch().email} />;
  },
});
