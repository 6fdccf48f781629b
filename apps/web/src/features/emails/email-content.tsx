import { useId } from "react";
import type { EmailDetail } from "@/client/types.gen";
import { MailFrame } from "@/components/email-frame";
import { Tabs } from "@/components/ui/tabs";
import { isErased } from "./status-labels";

/** What a message said; and where that is not there, why. */
export function Message({ email }: { email: EmailDetail }) {
  const id = useId();
  const missing = whyMissing(email);
  return (
    <section aria-labelledby={id} className="grid grid-cols-1 gap-3">
      <h3 id={id} className="font-semibold">
        The message
      </h3>
      {missing ? <p className="rounded-lg bg-sunken px-4 py-3 text-sm text-muted">{missing}</p> : null}
      {!missing && email.queued_by === "gatepost" ? (
        <p className="text-sm text-muted">
          Where a link of it lets somebody in, its code is not kept: here it does not work.
        </p>
      ) : null}
      {missing ? null : (
        <Tabs
          label="Views of this message"
          tabs={[
            {
              name: "HTML",
              content: (
                <MailFrame
                  src={`/v1/emails/${encodeURIComponent(email.id)}/html`}
                  title={`HTML of “${email.subject}”`}
                />
              ),
            },
            { name: "Text", content: <Text text={email.text} /> },
          ]}
        />
      )}
    </section>
  );
}

function Text({ text }: { text: string | null }) {
  if (!text) return <p className="text-sm text-muted">This message has no text.</p>;
  return (
    <div className="rounded-lg border border-line p-4 font-mono text-[0.8125rem]/6 whitespace-pre-wrap wrap-anywhere">
      {text}
    </div>
  );
}

function whyMissing(email: EmailDetail): string | null {
  if (email.html !== null) return null;
  if (isErased(email))
    return "This is security mail with links or codes that let somebody in. What it says is never shown here, and is erased once it is sent.";
  if (["scheduled", "queued", "sending"].includes(email.status))
    return "There is nothing to show yet: a message is put into words when it goes out.";
  return "There is nothing to show: it ended before it was put into words.";
}
