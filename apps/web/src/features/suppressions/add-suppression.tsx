import { type SubmitEvent, useEffect, useRef } from "react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { ApiError, Cancelled, getErrorMessage } from "@/lib/errors";
import { useAddSuppression } from "./mutations";

/** Puts an address on the list, with the reason. */
export function AddSuppression({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="Suppress an address"
      description="Nothing is sent to it any more: no password resets or warnings either."
    >
      <Form onDone={onClose} />
    </Dialog>
  );
}

function Form({ onDone }: { onDone: () => void }) {
  const form = useRef<HTMLFormElement>(null);
  const add = useAddSuppression();
  const errors = fieldErrors(add.error);
  const told = add.error && !errors.email && !errors.reason && !(add.error instanceof Cancelled);

  useEffect(() => {
    if (add.error) form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [add.error]);

  const handleSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const body = { email: String(data.get("email")).trim(), reason: String(data.get("reason")).trim() };
    if (!add.isPending) add.mutate(body, { onSuccess: onDone });
  };

  return (
    <form ref={form} className="grid gap-4" onSubmit={handleSubmit}>
      {told ? <Alert tone="danger">{getErrorMessage(add.error)}</Alert> : null}
      <Field
        label="E-mail address"
        name="email"
        type="email"
        inputMode="email"
        autoFocus
        required
        maxLength={254}
        autoComplete="off"
        error={errors.email}
      />
      <Field
        label="Reason"
        name="reason"
        required
        pattern=".*\S.*"
        maxLength={500}
        autoComplete="off"
        hint="For whoever wonders later: “asked us to by phone”."
        error={errors.reason}
      />
      <div className="flex flex-wrap justify-end gap-3">
        <Button onClick={onDone}>Cancel</Button>
        <Button type="submit" variant="primary" busy={add.isPending}>
          {add.isPending ? "Suppressing…" : "Suppress address"}
        </Button>
      </div>
    </form>
  );
}

/** What the service says of which field; an address that is on the list already is the address's. */
function fieldErrors(error: unknown): Readonly<Record<string, string>> {
  if (!(error instanceof ApiError)) return {};
  return error.code === "conflict" ? { email: "This address is on the list already." } : error.fields;
}
