import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { ApiError, getErrorMessage } from "@/lib/errors";
import { languageName } from "@/lib/languages";
import { fullTime } from "@/lib/time";
import { currentSource, isTranslated } from "./draft/current-source";
import { isConflict } from "./draft/draft-store";
import { SourceLabel } from "./draft/source-label";
import type { EditorState } from "./use-editor";

/** What the user should know before they continue: unsaved changes, conflicts, failed saves. */
export function Alerts({ editor }: { editor: EditorState }) {
  const { template, state } = editor;
  const outdated = state.dirty && !state.saving && template.etag !== state.base.etag;
  return (
    <>
      {state.recovered ? <RecoveredAlert editor={editor} /> : null}
      {outdated && !state.recovered ? <OutdatedAlert editor={editor} /> : null}
      {state.saveError && !(outdated && isConflict(state.saveError)) ? (
        <SaveFailedAlert editor={editor} />
      ) : null}
      {isTranslated(template) || state.dirty ? null : <NewLanguageAlert editor={editor} />}
    </>
  );
}

function RecoveredAlert({ editor: { template, draft, state, me, focusPart } }: { editor: EditorState }) {
  const { recovered } = state;
  if (!recovered) return null;
  const handleRestore = () => {
    draft.restoreRecovered();
    focusPart();
  };
  const handleDiscard = () => {
    draft.discardRecovered();
    focusPart();
  };
  return (
    <Alert tone="notice">
      <p>
        You have unsaved changes from {fullTime(new Date(recovered.at))}, based on{" "}
        <SourceLabel source={recovered.base} me={me.id} />.
        {recovered.base.etag === template.etag
          ? ""
          : " The template was changed since then. If you save your changes, you can compare both first."}
      </p>
      <div className="mt-2 flex flex-wrap gap-2">
        <Button size="small" onClick={handleRestore}>
          Restore changes
        </Button>
        <Button size="small" variant="danger-quiet" onClick={handleDiscard}>
          Discard changes
        </Button>
      </div>
    </Alert>
  );
}

function OutdatedAlert({ editor: { template, me, openDialog } }: { editor: EditorState }) {
  return (
    <Alert tone="notice">
      <p>
        This template was changed in the meantime. It now has{" "}
        <SourceLabel source={currentSource(template)} me={me.id} />. Your changes are not saved yet.
      </p>
      <Button size="small" className="mt-2" onClick={() => void openDialog("conflict")}>
        Compare and choose
      </Button>
    </Alert>
  );
}

function SaveFailedAlert({ editor: { state, save, focusPart } }: { editor: EditorState }) {
  const { saveError, storedLocally } = state;
  const offline = saveError instanceof ApiError && saveError.status === 0;
  const handleRetry = () => {
    void save();
    // The alert is about to disappear.
    focusPart();
  };
  return (
    <Alert tone="danger">
      <p>
        Your changes could not be saved. {getErrorMessage(saveError)}{" "}
        {storedLocally
          ? "They are stored in this browser."
          : "They exist only on this page. Do not close it."}
        {offline ? " They will be saved when you are back online." : ""}
      </p>
      <Button size="small" className="mt-2" onClick={handleRetry}>
        Try again
      </Button>
    </Alert>
  );
}

function NewLanguageAlert({ editor: { template, showPanel } }: { editor: EditorState }) {
  return (
    <Alert tone="notice">
      <p>
        This template has no content in {languageName(template.locale)} yet. Emails use another language.
        {template.default ? " The editor starts with the built-in template in another language." : ""}
      </p>
      {template.locales.length > 0 ? (
        <Button size="small" className="mt-2" onClick={() => showPanel("languages")}>
          Start from another language
        </Button>
      ) : null}
    </Alert>
  );
}
