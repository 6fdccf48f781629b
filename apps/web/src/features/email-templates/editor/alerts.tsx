import type { EmailTemplate } from "@/client/types.gen";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { ApiError, getErrorMessage } from "@/lib/errors";
import { languageName } from "@/lib/languages";
import { fullTime } from "@/lib/time";
import { isWritten, standing } from "./draft/current-source";
import { type Desk, type DeskState, isConflict } from "./draft/draft-store";
import { FromWhere } from "./draft/source-label";

interface NoticesProps {
  template: EmailTemplate;
  desk: Desk;
  state: DeskState;
  me: string;
  onSave: () => void;
  onCompare: () => void;
  onLanguages: () => void;
  /** What was pressed goes: the focus has to go elsewhere. */
  onGone: () => void;
}

/** What a person should know before they go on typing. */
export function Notices(props: NoticesProps) {
  const { template, state } = props;
  const behind = state.dirty && !state.saving && template.etag !== state.base.etag;
  return (
    <>
      {state.offer ? <Offer {...props} /> : null}
      {behind && !state.offer ? <Behind {...props} /> : null}
      {state.error && !(behind && isConflict(state.error)) ? <Trouble {...props} /> : null}
      {isWritten(template) || state.dirty ? null : <NewLanguage {...props} />}
    </>
  );
}

function Offer({ template, desk, state, me, onGone }: NoticesProps) {
  const { offer } = state;
  if (!offer) return null;
  const answer = (act: () => void) => () => {
    act();
    onGone();
  };
  const changed = offer.etag !== template.etag;
  return (
    <Alert tone="notice">
      <p>
        Unsaved changes of {fullTime(new Date(offer.at))} are here. They were made from{" "}
        <FromWhere origin={offer.origin} me={me} />
        {changed ? "; other words were saved since then, and you will see both before yours are saved" : ""}.
      </p>
      <div className="mt-2 flex flex-wrap gap-2">
        <Button size="small" onClick={answer(() => desk.restoreOffer())}>
          Restore them
        </Button>
        <Button size="small" variant="danger-quiet" onClick={answer(() => desk.discardOffer())}>
          Discard them
        </Button>
      </div>
    </Alert>
  );
}

function Behind({ template, me, onCompare }: NoticesProps) {
  return (
    <Alert tone="notice">
      <p>
        Other words were saved meanwhile: this mail now has{" "}
        <FromWhere origin={standing(template).origin} me={me} />. Yours are still here, and not saved yet.
      </p>
      <Button size="small" className="mt-2" onClick={onCompare}>
        Compare and choose
      </Button>
    </Alert>
  );
}

function Trouble({ state, onSave, onGone }: NoticesProps) {
  const again = () => {
    onSave();
    onGone();
  };
  return (
    <Alert tone="danger">
      <p>
        Your changes could not be saved. {getErrorMessage(state.error)}{" "}
        {state.kept ? "They are kept in this browser." : "They are still here: do not close this page."}
        {isOffline(state.error) ? " They will be saved when the connection is back." : ""}
      </p>
      <Button size="small" className="mt-2" onClick={again}>
        Try again
      </Button>
    </Alert>
  );
}

function NewLanguage({ template, onLanguages }: NoticesProps) {
  const name = languageName(template.locale);
  return (
    <Alert tone="notice">
      <p>
        There are no words in {name} yet: people get another language's.{" "}
        {template.default ? "The editor begins with the built-in words of another language." : ""}
      </p>
      {template.locales.length > 0 ? (
        <Button size="small" className="mt-2" onClick={onLanguages}>
          Begin with another language's words
        </Button>
      ) : null}
    </Alert>
  );
}

function isOffline(error: unknown): boolean {
  return error instanceof ApiError && error.status === 0;
}
