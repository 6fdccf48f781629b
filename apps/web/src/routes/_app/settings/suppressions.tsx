import { createFileRoute } from "@tanstack/react-router";
import { SuppressionsPage, type SuppressionsSearch } from "@/features/suppressions/suppressions-page";
import { pageTitle } from "@/lib/page-title";
import { textParam } from "@/lib/search-params";

export const Route = createFileRoute("/_app/settings/suppressions")({
  validateSearch: (search: Record<string, unknown>): SuppressionsSearch => ({ q: textParam(search.q) }),
  head: () => pageTitle("Suppressions"),
  component: function SuppressionsRoute() {
    return <SuppressionsPage q={Route.useSearch().q} />;
  },
});
