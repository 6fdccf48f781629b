import { createFileRoute } from "@tanstack/react-router";
import { EditorPage } from "@/features/email-templates/editor/editor-page";
import { type EditorSearch, readSearch } from "@/features/email-templates/search-params";

export const Route = createFileRoute("/_app/settings/email-templates/$key")({
  validateSearch: readSearch,
  head: ({ params }) => ({ meta: [{ title: `${params.key} · E-mail templates · Gatepost` }] }),
  component: function EmailTemplate() {
    const navigate = Route.useNavigate();
    const show = (search: EditorSearch) =>
      void navigate({
        search: readSearch({ ...search }),
        replace: !("locale" in search),
        resetScroll: false,
      });
    return <EditorPage templateKey={Route.useParams().key} search={Route.useSearch()} onShow={show} />;
  },
});
