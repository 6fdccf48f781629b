import { createFileRoute } from "@tanstack/react-router";
import { EmailsPage, type EmailsSearch } from "@/features/emails/emails-page";
import { STATUS_NAMES } from "@/features/emails/status-labels";
import { pageTitle } from "@/lib/page-title";
import { enumParam, idParam, keyParam, textParam } from "@/lib/search-params";

export const Route = createFileRoute("/_app/settings/emails")({
  validateSearch: (search: Record<string, unknown>): EmailsSearch => ({
    status: enumParam(search.status, STATUS_NAMES),
    template: keyParam(search.template),
    q: textParam(search.q),
    email: idParam(search.email),
  }),
  head: () => pageTitle("Emails"),
  component: function EmailsRoute() {
    return <EmailsPage search={Route.useSearch()} />;
  },
});
