import { createFileRoute } from "@tanstack/react-router";
import { TemplatesPage, type TemplatesSearch } from "@/features/email-templates/list/templates-page";
import { localeParam, textParam } from "@/lib/search-params";

export const Route = createFileRoute("/_app/settings/email-templates/")({
  validateSearch: (search: Record<string, unknown>): TemplatesSearch => ({
    q: textParam(search.q),
    locale: localeParam(search.locale),
  }),
  head: () => ({ meta: [{ title: "Templates · Gatepost" }] }),
  component: function Templates() {
    return <TemplatesPage search={Route.useSearch()} />;
  },
});
