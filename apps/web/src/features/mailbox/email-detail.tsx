import { useQuery } from "@tanstack/react-query";
import { ExternalLink } from "lucide-react";
import { type ReactNode, useRef } from "react";
import type { CapturedEmail } from "@/client/types.gen";
import { MailFrame } from "@/components/email-frame";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Tabs } from "@/components/ui/tabs";
import { TEXT_LINK } from "@/components/ui/text-link";
import { ApiError, getErrorMessage } from "@/lib/errors";
import { fullTime } from "@/lib/time";
import { linksOf, withLinks } from "./email-links";
import { mail } from "./queries";

/** One mail: as it looks, as text, and as it went over the wire. */
export function MailDetail({ id }: { id: string }) {
  const { data, error, refetch, isFetching } = useQuery(mail(id));
  const gone = error instanceof ApiError && error.status === 404;
  return (
    <article className="card grid grid-cols-1 gap-5 p-4 sm:p-6" aria-busy={isFetching}>
      <div className="grid gap-3">
        <h2
          data-mail-heading
          tabIndex={-1}
          className="text-lg font-semibold tracking-tight wrap-anywhere outline-none"
        >
          {data?.subject ?? (error ? "This mail cannot be shown" : "Loading…")}
        </h2>
        {data ? <Facts mail={data} /> : null}
      </div>
      {error && !data ? (
        <Alert tone={gone ? "notice" : "danger"}>
          {gone ? "What this mail said is not kept any more." : getErrorMessage(error)}
        </Alert>
      ) : null}
      {error && !data && !gone ? (
        <Button className="justify-self-start" busy={isFetching} onClick={() => void refetch()}>
          Try again
        </Button>
      ) : null}
      {data ? <Views mail={data} /> : null}
    </article>
  );
}

function Facts({ mail }: { mail: CapturedEmail }) {
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-0.5 text-sm wrap-anywhere">
      <Fact name="To">{mail.to}</Fact>
      <Fact name="From">{mail.sender}</Fact>
      {mail.reply_to ? <Fact name="Reply to">{mail.reply_to}</Fact> : null}
      <Fact name="When">
        <time dateTime={mail.created_at}>{fullTime(new Date(mail.created_at))}</time>
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-muted">{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Views({ mail }: { mail: CapturedEmail }) {
  return (
    <Tabs
      label="Views of this mail"
      tabs={[
        { name: "HTML", content: <Html mail={mail} /> },
        { name: "Text", content: <Text text={mail.text} /> },
        { name: "Source", content: <Code label="Source">{mail.source}</Code> },
        { name: "Headers", content: <Headers headers={mail.headers} /> },
      ]}
    />
  );
}

function Html({ mail }: { mail: CapturedEmail }) {
  const links = linksOf(mail.html);
  const list = useRef<HTMLElement>(null);
  return (
    <div className="grid grid-cols-1 gap-5">
      <MailFrame
        src={`/v1/mailbox/${encodeURIComponent(mail.id)}/html`}
        title={`HTML of “${mail.subject}”`}
        onAway={() => list.current?.focus()}
      />
      {links.length > 0 ? (
        <section ref={list} tabIndex={-1} className="grid gap-2" aria-label="Links in this mail">
          <h3 className="text-sm font-semibold">
            Links in this mail{" "}
            <span className="font-normal text-muted">(in the frame they lead nowhere)</span>
          </h3>
          <ul className="grid gap-2 text-sm">
            {links.map(({ href, label }) => (
              <li key={href} className="grid grid-cols-1">
                <Away href={href}>{label}</Away>
                {label === href ? null : <span className="truncate text-muted">{href}</span>}
              </li>
            ))}
          </ul>
        </section>
      ) : null}
    </div>
  );
}

function Text({ text }: { text: string }) {
  if (!text) return <p className="text-sm text-muted">This mail has no text.</p>;
  return (
    <div className="font-mono text-[0.8125rem]/6 whitespace-pre-wrap wrap-anywhere">
      {withLinks(text).map((part, index) =>
        part.href ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text never move.
          <a key={index} href={part.href} target="_blank" rel="noopener noreferrer" className={TEXT_LINK}>
            {part.text}
          </a>
        ) : (
          part.text
        ),
      )}
    </div>
  );
}

function Headers({ headers }: { headers: CapturedEmail["headers"] }) {
  return (
    <dl className="grid gap-x-4 text-sm wrap-anywhere sm:grid-cols-[max-content_minmax(0,1fr)] sm:gap-y-1">
      {Object.entries(headers).map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="font-medium">{name}</dt>
          <dd className="font-mono text-xs/5 text-muted max-sm:mb-2">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Code({ label, children }: { label: string; children: string }) {
  return (
    <section
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard.
      tabIndex={0}
      className="max-h-[34rem] overflow-auto rounded-lg border border-line bg-sunken p-3"
    >
      <pre className="font-mono text-xs/5 whitespace-pre-wrap wrap-anywhere">{children}</pre>
    </section>
  );
}

/** A link that leaves this page open, and tells the other one nothing about it. */
function Away({ href, children }: { href: string; children: ReactNode }) {
  return (
    <a
      href={href}
      target="_blank"
      rel="noopener noreferrer"
      className={`inline-flex min-h-6 items-center gap-1.5 justify-self-start ${TEXT_LINK}`}
    >
      {children}
      <ExternalLink size={14} className="shrink-0" aria-label="(opens a new tab)" />
    </a>
  );
}
