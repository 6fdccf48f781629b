import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { readMeOptions } from "@/client/@tanstack/react-query.gen";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { TEXT_LINK } from "@/components/ui/text-link";
import { ApiError, getErrorMessage } from "@/lib/errors";
import { grammar as grammarOf, template as templateIn } from "../queries";
import { DEFAULT_LOCALE, type EditorSearch, type Show } from "../search-params";
import { Editor } from "./editor";
import { EditorSkeleton } from "./editor-skeleton";
import { LIST } from "./header";

interface EditorPageProps {
  templateKey: string;
  search: EditorSearch;
  onShow: Show;
}

/** Where whoever owns the words of a mail changes them. */
export function EditorPage({ templateKey, search, onShow }: EditorPageProps) {
  const locale = search.locale ?? DEFAULT_LOCALE;
  const { data: me } = useSuspenseQuery(readMeOptions());
  const template = useQuery(templateIn(templateKey, locale));
  const grammar = useQuery(grammarOf());
  if (template.data && grammar.data) {
    return (
      <Editor
        key={`${templateKey}:${locale}`}
        template={template.data}
        grammar={grammar.data}
        me={me.user}
        search={search}
        onShow={onShow}
      />
    );
  }
  const error = template.error ?? grammar.error;
  const retry = () => {
    void template.refetch();
    void grammar.refetch();
  };
  return (
    <div className="grid grid-cols-1 gap-6" data-full>
      <h1 className="text-2xl font-semibold tracking-tight wrap-anywhere">{templateKey}</h1>
      {error ? (
        <Failed error={error} busy={template.isFetching || grammar.isFetching} onRetry={retry} />
      ) : (
        <EditorSkeleton />
      )}
    </div>
  );
}

function Failed({ error, busy, onRetry }: { error: unknown; busy: boolean; onRetry: () => void }) {
  const status = error instanceof ApiError ? error.status : null;
  if (status === 403) return <Alert tone="notice">The e-mail templates are for administrators.</Alert>;
  if (status === 404) {
    return (
      <Alert tone="notice">
        There is no such template.{" "}
        <Link to={LIST} className={TEXT_LINK}>
          See all templates
        </Link>
      </Alert>
    );
  }
  return (
    <div className="grid justify-items-start gap-4">
      <Alert tone="danger">The template could not be loaded. {getErrorMessage(error)}</Alert>
      <Button variant="primary" busy={busy} onClick={onRetry}>
        Try again
      </Button>
    </div>
  );
}
