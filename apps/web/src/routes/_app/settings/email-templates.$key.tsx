import { createFileRoute } from "@tanstack/react-router";
import { EditorPage } from "@/features/email-templates/editor/editor-page";
import { type EditorSearch, readEditorSearch } from "@/features/email-templates/search-params";
import { pageTitle } from "@/lib/page-title";

export const Route = createFileRoute("/_app/settings/email-templates/$key")({
  validateSearch: readEditorSearch,
  head: ({ params }) => pageTitle(`${params.key} · Email templates`),
  component: function EmailTemplate() {
    const navigate = Route.useNavigate();
    const search = Route.useSearch();
    const handleSearch = (change: EditorSearch) => {
      const next = readEditorSearch({ ...change });
      // Only another language is a new entry in the browser's history.
      void navigate({ search: next, replace: next.locale === search.locale, resetScroll: false });
    };
    return <EditorPage templateKey={Route.useParams().key} search={search} onSearch={handleSearch} />;
  },
});
