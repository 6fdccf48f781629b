import { useId } from "react";
import type { EmailDetail } from "@/client/types.gen";
import { EmailFrame } from "@/components/email-frame";
import { Tabs } from "@/components/ui/tabs";
import { isUnsent } from "./email-state";

/** The content of an email, or why it cannot be shown. */
export function EmailContent({ email }: { email: EmailDetail }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="grid grid-cols-1 gap-3">
      <h3 id={id} className="font-semibold">
        Content
      </h3>
      {email.html === null ? (
        <p className="rounded-lg bg-sunken px-4 py-3 text-sm text-muted">{whyMissing(email)}</p>
      ) : (
        <>
          {email.queued_by === "gatepost" ? (
            <p className="text-sm text-muted">
              Links that grant access do not work here: their codes are not stored.
            </p>
          ) : null}
          <Tabs
            label="Views of this email"
            tabs={[
              {
                name: "HTML",
                content: (
                  <EmailFrame
                    src={`/v1/emails/${encodeURIComponent(email.id)}/html`}
                    title={`HTML of “${email.subject}”`}
                  />
                ),
              },
              { name: "Text", content: <PlainText text={email.text} /> },
            ]}
          />
        </>
      )}
    </section>
  );
}

function PlainText({ text }: { text: string | null }) {
  if (!text) return <p className="text-sm text-muted">This email has no text version.</p>;
  return (
    <div className="rounded-lg border border-line p-4 font-mono text-[0.8125rem]/6 whitespace-pre-wrap wrap-anywhere">
      {text}
    </div>
  );
}

function whyMissing(email: EmailDetail): string {
  if (email.content_hidden)
    return "This email contains links or codes that grant access. Its content is never shown, and is erased once it is sent.";
  return isUnsent(email)
    ? "There is no content yet: the template is rendered when the email is sent."
    : "There is no content: the email ended before its template was rendered.";
}
