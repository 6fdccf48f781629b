import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { readMeOptions } from "@/client/@tanstack/react-query.gen";
import { LoadFailed } from "@/components/load-failed";
import { PageHeading } from "@/components/page-heading";
import { Alert } from "@/components/ui/alert";
import { TEXT_LINK } from "@/components/ui/text-link";
import { isNotFound } from "@/lib/errors";
import { languageQuery, templateQuery } from "../queries";
import { DEFAULT_LOCALE, type EditorSearch } from "../search-params";
import { Editor } from "./editor";

interface EditorPageProps {
  templateKey: string;
  search: EditorSearch;
  onSearch: (search: EditorSearch) => void;
}

/** Loads a template and shows the editor. */
export function EditorPage({ templateKey, search, onSearch }: EditorPageProps) {
  const locale = search.locale ?? DEFAULT_LOCALE;
  const { data: me } = useSuspenseQuery(readMeOptions());
  const template = useQuery(templateQuery(templateKey, locale));
  const language = useQuery(languageQuery());
  if (template.data && language.data) {
    return (
      <Editor
        key={`${templateKey}:${locale}`}
        template={template.data}
        language={language.data}
        me={me.user}
        search={search}
        onSearch={onSearch}
      />
    );
  }
  const error = template.error ?? language.error;
  const isFetching = template.isFetching || language.isFetching;
  const refetch = () => Promise.all([template.refetch(), language.refetch()]);
  return (
    <div className="grid grid-cols-1 gap-6" data-full>
      <PageHeading title={templateKey}>Email template</PageHeading>
      {isNotFound(error) ? (
        <NotFound />
      ) : error ? (
        <LoadFailed what="The template" query={{ error, isFetching, refetch }} />
      ) : (
        <Skeleton />
      )}
    </div>
  );
}

function NotFound() {
  return (
    <Alert tone="notice">
      This template does not exist.{" "}
      <Link to="/settings/email-templates" className={TEXT_LINK}>
        View all templates
      </Link>
    </Alert>
  );
}

function Skeleton() {
  const pane = "card h-[32rem] animate-[pulse-soft_1.6s_ease-in-out_infinite]";
  return (
    <div role="status" aria-label="Loading the template" className="grid gap-6 lg:grid-cols-2">
      <div className={pane} />
      <div className={`${pane} max-lg:hidden`} />
    </div>
  );
}
