import type { EmailTemplate, TemplateDiagnostic } from "@/client/types.gen";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { ApiError, Canceled, getErrorMessage } from "@/lib/errors";
import { languageName } from "@/lib/languages";
import { usePublish } from "../../mutations";
import { contentOf } from "../draft/content";
import { contentInUse } from "../draft/current-source";
import { countProblems, describeCount, ProblemList } from "../problems";
import type { EditorState } from "../use-editor";
import { Changes } from "./changes";
import { StickyActions } from "./sticky-actions";

/** Shows what publishing changes, and publishes the draft. The editor saves before it opens this dialog. */
export function PublishDialog({ editor }: { editor: EditorState }) {
  const { template, dialog, closeDialog } = editor;
  const { name, locale, draft, published } = template;
  const replaced = published ? `, instead of version ${published.version}` : "";
  return (
    <Dialog
      open={dialog === "publish"}
      onClose={closeDialog}
      wide
      title={draft ? `Publish “${name}”?` : "Nothing to publish"}
      description={
        draft
          ? `New emails in ${languageName(locale)} will use this content${replaced}. You can restore every published version later.`
          : "The editor has the content that emails already use. Change it before you publish."
      }
    >
      {draft ? (
        <Summary template={template} draft={draft} onClose={closeDialog} onJump={editor.jumpTo} />
      ) : (
        <Button className="justify-self-end" onClick={closeDialog}>
          Close
        </Button>
      )}
    </Dialog>
  );
}

interface SummaryProps {
  template: EmailTemplate;
  draft: NonNullable<EmailTemplate["draft"]>;
  onClose: () => void;
  onJump: (problem: TemplateDiagnostic) => void;
}

function Summary({ template, draft, onClose, onJump }: SummaryProps) {
  const publish = usePublish(template);
  const hasErrors = countProblems(draft.diagnostics).errors > 0;
  const handlePublish = () => publish.mutate(draft.etag, { onSuccess: onClose });
  const handleJump = (problem: TemplateDiagnostic) => {
    onClose();
    onJump(problem);
  };
  return (
    <>
      {draft.diagnostics.length > 0 ? (
        <div className="grid grid-cols-1 gap-3">
          {hasErrors ? (
            <Alert tone="danger">This draft cannot be published. Fix the errors first.</Alert>
          ) : (
            <p className="text-sm font-medium">{describeCount(draft.diagnostics)}</p>
          )}
          <ProblemList label="Problems in the draft" problems={draft.diagnostics} onJump={handleJump} />
        </div>
      ) : null}
      <Changes before={contentInUse(template)} after={contentOf(draft)} />
      {publish.error && !(publish.error instanceof Canceled) ? (
        <Alert tone="danger">{publishError(publish.error)}</Alert>
      ) : null}
      <StickyActions>
        <Button onClick={onClose}>Cancel</Button>
        {hasErrors ? null : (
          <Button variant="primary" busy={publish.isPending} onClick={handlePublish}>
            {publish.isPending ? "Publishing…" : "Publish"}
          </Button>
        )}
      </StickyActions>
    </>
  );
}

function publishError(error: unknown): string {
  if (error instanceof ApiError && error.status === 409) {
    return "Nothing was published: another draft was saved in the meantime. Review its changes, then publish.";
  }
  return `The draft could not be published. ${getErrorMessage(error)}`;
}
