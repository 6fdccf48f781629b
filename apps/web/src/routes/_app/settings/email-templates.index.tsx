import { createFileRoute } from "@tanstack/react-router";
import { TemplatesPage } from "@/features/email-templates/list/templates-page";
import { readListSearch } from "@/features/email-templates/search-params";
import { pageTitle } from "@/lib/page-title";

export const Route = createFileRoute("/_app/settings/email-templates/")({
  validateSearch: readListSearch,
  head: () => pageTitle("Email templates"),
  component: function Templates() {
    return <TemplatesPage search={Route.useSearch()} />;
  },
});
