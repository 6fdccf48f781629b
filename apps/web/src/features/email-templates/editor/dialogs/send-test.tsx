import { Link } from "@tanstack/react-router";
import { type SubmitEvent, useState } from "react";
import type { EmailTemplate, JsonValue } from "@/client/types.gen";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Outcome } from "@/components/ui/success-message";
import { TEXT_LINK } from "@/components/ui/text-link";
import { ApiError, Cancelled, getErrorMessage } from "@/lib/errors";
import { useSendTest } from "../mutations";

interface SendTestProps {
  open: boolean;
  template: EmailTemplate;
  address: string;
  samples: Record<string, JsonValue>;
  onClose: () => void;
}

/** Sends the words that stand, filled with the sample data. What is in the editor is saved by then. */
export function SendTest({ open, onClose, ...props }: SendTestProps) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="Send a test"
      description="The words as they are in the editor, filled with the sample data."
    >
      <Form {...props} onClose={onClose} />
    </Dialog>
  );
}

// The log is another page's.
const LOG: string = "/settings/emails";

function Form({ template, address, samples, onClose }: Omit<SendTestProps, "open">) {
  const test = useSendTest(template);
  const [to, setTo] = useState(address);
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const declared = new Set(template.variables.map(({ name }) => name));
    const variables = Object.fromEntries(Object.entries(samples).filter(([name]) => declared.has(name)));
    if (!test.isPending) test.mutate({ to: to.trim(), variables });
  };
  const wrong = test.error instanceof ApiError ? test.error.fields.to : undefined;
  return (
    <form className="grid grid-cols-1 gap-5" onSubmit={submit}>
      <Field
        label="To"
        type="email"
        required
        autoFocus
        maxLength={254}
        value={to}
        onChange={(event) => setTo(event.target.value)}
        error={wrong}
      />
      {test.error && !wrong && !(test.error instanceof Cancelled) ? (
        <Alert tone="danger">The test was not sent. {getErrorMessage(test.error)}</Alert>
      ) : null}
      {test.data ? (
        <Outcome key={test.data.email_id}>
          It is on its way to {test.variables?.to}.{" "}
          <Link to={LOG} search={{ email: test.data.email_id } as never} className={TEXT_LINK}>
            See what becomes of it
          </Link>
        </Outcome>
      ) : null}
      <div className="flex flex-wrap justify-end gap-3">
        <Button onClick={onClose}>{test.data ? "Close" : "Cancel"}</Button>
        <Button type="submit" variant="primary" busy={test.isPending}>
          {test.isPending ? "Sending…" : test.data ? "Send another" : "Send the test"}
        </Button>
      </div>
    </form>
  );
}
