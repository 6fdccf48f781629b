import { createFileRoute } from "@tanstack/react-router";
import { MailboxPage } from "@/features/mailbox/mailbox-page";

export const Route = createFileRoute("/_app/mailbox")({
  validateSearch: (search: Record<string, unknown>): { mail?: string } => ({
    mail: typeof search.mail === "string" && /^[\da-f-]{36}$/.test(search.mail) ? search.mail : undefined,
  }),
  head: () => ({ meta: [{ title: "Mailbox · Gatepost" }] }),
  component: function Mailbox() {
    return <MailboxPage chosen={Route.useSearch().mail} />;
  },
});
