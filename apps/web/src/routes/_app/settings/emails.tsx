import { createFileRoute } from "@tanstack/react-router";
import { EmailsPage, type EmailsSearch } from "@/features/emails/emails-page";
import { STATUS_NAMES } from "@/features/emails/statuses";
import { idParam, keyParam, textParam, wordParam } from "@/lib/search-params";

export const Route = createFileRoute("/_app/settings/emails")({
  validateSearch: (search: Record<string, unknown>): EmailsSearch => ({
    status: wordParam(search.status, STATUS_NAMES),
    template: keyParam(search.template),
    q: textParam(search.q),
    email: idParam(search.email),
  }),
  head: () => ({ meta: [{ title: "E-mails · Gatepost" }] }),
  component: function Emails() {
    return <EmailsPage search={Route.useSearch()} />;
  },
});
