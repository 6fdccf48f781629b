import { useQuery } from "@tanstack/react-query";
import { ExternalLink } from "lucide-react";
import { type ReactNode, useRef } from "react";
import type { CapturedEmail } from "@/client/types.gen";
import { EmailFrame } from "@/components/email-frame";
import { LoadFailed } from "@/components/load-failed";
import { Alert } from "@/components/ui/alert";
import { Description, DescriptionList } from "@/components/ui/description-list";
import { Tabs } from "@/components/ui/tabs";
import { TEXT_LINK } from "@/components/ui/text-link";
import { isForbidden, isNotFound } from "@/lib/errors";
import { fullTime } from "@/lib/time";
import { htmlLinks, splitAtUrls } from "./email-links";
import { capturedEmail } from "./queries";

/** One captured email: as HTML, as text, and its source and headers. */
export function EmailDetail({ id }: { id: string }) {
  const query = useQuery(capturedEmail(id));
  const { data, error } = query;
  return (
    <article className="card grid grid-cols-1 gap-5 p-4 sm:p-6" aria-busy={query.isFetching}>
      <div className="grid gap-3">
        <h2
          data-email-heading
          tabIndex={-1}
          className="text-lg font-semibold tracking-tight wrap-anywhere outline-none"
        >
          {data?.subject ?? (error ? "Email not available" : "Loading…")}
        </h2>
        {data ? <Envelope email={data} /> : null}
      </div>
      {isNotFound(error) ? (
        <Alert tone="notice">The content of this email is no longer stored.</Alert>
      ) : isForbidden(error) ? (
        <Alert tone="notice">{error.message}</Alert>
      ) : error && !data ? (
        <LoadFailed what="This email" query={query} />
      ) : null}
      {data ? (
        <Tabs
          label="Views of this email"
          tabs={[
            { name: "HTML", content: <HtmlView email={data} /> },
            { name: "Text", content: <TextView text={data.text} /> },
            { name: "Source", content: <SourceView source={data.source} /> },
            { name: "Headers", content: <HeadersView headers={data.headers} /> },
          ]}
        />
      ) : null}
    </article>
  );
}

function Envelope({ email }: { email: CapturedEmail }) {
  return (
    <DescriptionList>
      <Description name="To">{email.to}</Description>
      <Description name="From">{email.sender}</Description>
      {email.reply_to ? <Description name="Reply to">{email.reply_to}</Description> : null}
      <Description name="Date">
        <time dateTime={email.created_at}>{fullTime(new Date(email.created_at))}</time>
      </Description>
    </DescriptionList>
  );
}

function HtmlView({ email }: { email: CapturedEmail }) {
  const links = htmlLinks(email.html);
  const list = useRef<HTMLElement>(null);
  return (
    <div className="grid grid-cols-1 gap-5">
      <EmailFrame
        src={`/v1/mailbox/${encodeURIComponent(email.id)}/html`}
        title={`HTML of “${email.subject}”`}
        onLinkClick={() => list.current?.focus()}
      />
      {links.length > 0 ? (
        <section ref={list} tabIndex={-1} className="grid gap-2" aria-label="Links in this email">
          <h3 className="text-sm font-semibold">
            Links in this email{" "}
            <span className="font-normal text-muted">(they do not work in the frame above)</span>
          </h3>
          <ul className="grid gap-2 text-sm">
            {links.map(({ href, label }) => (
              <li key={href} className="grid grid-cols-1">
                <NewTabLink href={href}>{label}</NewTabLink>
                {label === href ? null : <span className="truncate text-muted">{href}</span>}
              </li>
            ))}
          </ul>
        </section>
      ) : null}
    </div>
  );
}

function TextView({ text }: { text: string }) {
  if (!text) return <p className="text-sm text-muted">This email has no text version.</p>;
  return (
    <div className="font-mono text-[0.8125rem]/6 whitespace-pre-wrap wrap-anywhere">
      {splitAtUrls(text).map((part, index) =>
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

function SourceView({ source }: { source: string }) {
  return (
    <section
      aria-label="Source"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable area has to be reachable by keyboard.
      tabIndex={0}
      className="max-h-[34rem] overflow-auto rounded-lg border border-line bg-sunken p-3"
    >
      <pre className="font-mono text-xs/5 whitespace-pre-wrap wrap-anywhere">{source}</pre>
    </section>
  );
}

function HeadersView({ headers }: { headers: CapturedEmail["headers"] }) {
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

/** A link that opens a new tab, which learns nothing about this page. */
function NewTabLink({ href, children }: { href: string; children: ReactNode }) {
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
