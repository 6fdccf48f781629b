import { Link } from "@tanstack/react-router";
import { type SubmitEvent, useState } from "react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { SuccessMessage } from "@/components/ui/success-message";
import { TEXT_LINK } from "@/components/ui/text-link";
import { ApiError, Canceled, getErrorMessage } from "@/lib/errors";
import { useSendTest } from "../../mutations";
import { declaredValues } from "../draft/content";
import type { EditorState } from "../use-editor";

/** Sends a test email with the sample data. The editor saves before it opens this dialog. */
export function SendTestDialog({ editor }: { editor: EditorState }) {
  return (
    <Dialog
      open={editor.dialog === "test"}
      onClose={editor.closeDialog}
      title="Send a test email"
      description="It uses the content of the editor and the sample data."
    >
      <Form editor={editor} />
    </Dialog>
  );
}

function Form({ editor }: { editor: EditorState }) {
  const { template, me, samples, closeDialog } = editor;
  const test = useSendTest(template);
  const [to, setTo] = useState(me.email);
  const handleSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const variables = declaredValues(template.variables, samples);
    if (!test.isPending) test.mutate({ to: to.trim(), variables });
  };
  const fieldError = test.error instanceof ApiError ? test.error.fields.to : undefined;
  return (
    <form className="grid grid-cols-1 gap-5" onSubmit={handleSubmit}>
      <Field
        label="To"
        type="email"
        required
        autoFocus
        maxLength={254}
        value={to}
        onChange={(event) => setTo(event.target.value)}
        error={fieldError}
      />
      {test.error && !fieldError && !(test.error instanceof Canceled) ? (
        <Alert tone="danger">The test email could not be sent. {getErrorMessage(test.error)}</Alert>
      ) : null}
      {test.data ? (
        <SuccessMessage key={test.data.email_id}>
          The test email to {test.variables?.to} is queued.{" "}
          <Link to="/settings/emails" search={{ email: test.data.email_id }} className={TEXT_LINK}>
            View its status
          </Link>
        </SuccessMessage>
      ) : null}
      <div className="flex flex-wrap justify-end gap-3">
        <Button onClick={closeDialog}>{test.data ? "Close" : "Cancel"}</Button>
        <Button type="submit" variant="primary" busy={test.isPending}>
          {test.isPending ? "Sending…" : test.data ? "Send another" : "Send test email"}
        </Button>
      </div>
    </form>
  );
}
