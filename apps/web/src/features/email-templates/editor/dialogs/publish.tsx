import type { EmailTemplate, TemplateDiagnostic } from "@/client/types.gen";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { ApiError, Cancelled, getErrorMessage } from "@/lib/errors";
import { languageName } from "@/lib/languages";
import { copyOf, sentNow } from "../draft/current-source";
import { usePublish } from "../mutations";
import { count, countInWords, ProblemList } from "../problems";
import { Changes } from "./changes";

interface PublishProps {
  open: boolean;
  template: EmailTemplate;
  onClose: () => void;
  onJump: (problem: TemplateDiagnostic) => void;
}

/** Shows what people will get instead of what, and publishes it. What is in the editor is saved by then. */
export function Publish({ open, template, onClose, onJump }: PublishProps) {
  const next = (template.published?.version ?? 0) + 1;
  return (
    <Dialog
      open={open}
      onClose={onClose}
      wide
      title={template.draft ? `Publish “${template.name}”?` : "There is nothing to publish"}
      description={
        template.draft
          ? `From now on every “${template.name}” in ${languageName(template.locale)} is sent with these words${next > 1 ? `, instead of version ${next - 1}` : ""}. You can go back to any version later.`
          : "What is in the editor is what people get already. Change something first."
      }
    >
      {template.draft ? (
        <Summary template={template} draft={template.draft} onClose={onClose} onJump={onJump} />
      ) : (
        <Button className="justify-self-end" onClick={onClose}>
          Close
        </Button>
      )}
    </Dialog>
  );
}

interface SummaryProps extends Omit<PublishProps, "open"> {
  draft: NonNullable<EmailTemplate["draft"]>;
}

function Summary({ template, draft, onClose, onJump }: SummaryProps) {
  const publish = usePublish(template);
  const { errors } = count(draft.diagnostics);
  const confirm = () => publish.mutate(draft.etag, { onSuccess: onClose });
  const jump = (problem: TemplateDiagnostic) => {
    onClose();
    onJump(problem);
  };
  return (
    <>
      {draft.diagnostics.length > 0 ? (
        <div className="grid grid-cols-1 gap-3">
          {errors > 0 ? (
            <Alert tone="danger">It cannot be published yet: mend the errors first.</Alert>
          ) : (
            <p className="text-sm font-medium">{countInWords(draft.diagnostics)} to know of</p>
          )}
          <ProblemList label="Problems of the draft" problems={draft.diagnostics} onJump={jump} />
        </div>
      ) : null}
      <Changes before={sentNow(template)} after={copyOf(draft)} />
      {publish.error && !(publish.error instanceof Cancelled) ? (
        <Alert tone="danger">{whyNot(publish.error)}</Alert>
      ) : null}
      <div className="sticky bottom-0 -mx-6 -mb-6 flex flex-wrap justify-end gap-3 border-t border-line bg-surface px-6 py-4">
        <Button onClick={onClose}>Cancel</Button>
        {errors > 0 ? null : (
          <Button variant="primary" busy={publish.isPending} onClick={confirm}>
            {publish.isPending ? "Publishing…" : "Publish"}
          </Button>
        )}
      </div>
    </>
  );
}

function whyNot(error: unknown): string {
  if (error instanceof ApiError && error.status === 409) {
    return "Nothing was published: somebody saved other words meanwhile. These are shown now; look at them first.";
  }
  return `It was not published. ${getErrorMessage(error)}`;
}
