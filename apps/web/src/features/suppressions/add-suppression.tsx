import { type SubmitEvent, useRef } from "react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { EmailField, Field } from "@/components/ui/field";
import { ApiError, Canceled, getErrorMessage } from "@/lib/errors";
import { useFocusOnError } from "@/lib/form-focus";
import { useAddSuppression } from "./mutations";

/** The dialog to suppress an email address. */
export function AddSuppression({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="Suppress an email address"
      description="No more emails are sent to it, except password resets and security notifications."
    >
      <Form onDone={onClose} />
    </Dialog>
  );
}

function Form({ onDone }: { onDone: () => void }) {
  const form = useRef<HTMLFormElement>(null);
  const add = useAddSuppression();
  const errors = fieldErrors(add.error);
  const formError = !errors.email && !errors.reason && !(add.error instanceof Canceled) ? add.error : null;
  useFocusOnError(form, add.error);

  const handleSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const body = { email: String(data.get("email")).trim(), reason: String(data.get("reason")).trim() };
    if (!add.isPending) add.mutate(body, { onSuccess: onDone });
  };

  return (
    <form ref={form} className="grid gap-4" onSubmit={handleSubmit}>
      {formError ? <Alert tone="danger">{getErrorMessage(formError)}</Alert> : null}
      <EmailField autoFocus autoComplete="off" error={errors.email} />
      <Field
        label="Reason"
        name="reason"
        required
        pattern=".*\S.*"
        maxLength={500}
        autoComplete="off"
        hint="A note for other admins, such as “asked us by phone”."
        error={errors.reason}
      />
      <div className="flex flex-wrap justify-end gap-3">
        <Button onClick={onDone}>Cancel</Button>
        <Button type="submit" variant="primary" busy={add.isPending}>
          {add.isPending ? "Suppressing…" : "Suppress email address"}
        </Button>
      </div>
    </form>
  );
}

/** The errors of the fields. A conflict means that the email address is already suppressed. */
function fieldErrors(error: unknown): Readonly<Record<string, string>> {
  if (!(error instanceof ApiError)) return {};
  return error.code === "conflict" ? { email: "This email address is already suppressed." } : error.fields;
}
