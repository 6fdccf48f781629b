import { createFileRoute } from "@tanstack/react-router";
import { SuppressionsPage, type SuppressionsSearch } from "@/features/suppressions/suppressions-page";
import { textParam } from "@/lib/search-params";

export const Route = createFileRoute("/_app/settings/suppressions")({
  validateSearch: (search: Record<string, unknown>): SuppressionsSearch => ({ q: textParam(search.q) }),
  head: () => ({ meta: [{ title: "Suppressions · Gatepost" }] }),
  component: function Suppressions() {
    return <SuppressionsPage q={Route.useSearch().q} />;
  },
});
