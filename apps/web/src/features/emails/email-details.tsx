import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { EmailDetail } from "@/client/types.gen";
import { Actor } from "@/components/actor";
import { TEXT_LINK } from "@/components/ui/text-link";
import { languageName } from "@/lib/languages";
import { exactTime } from "@/lib/time";
import { providerName } from "./status-labels";

export function EmailFacts({ email }: { email: EmailDetail }) {
  return (
    <dl className="grid grid-cols-[max-content_minmax(0,1fr)] gap-x-4 gap-y-1 text-sm wrap-anywhere">
      <Fact name="To">{email.to}</Fact>
      {email.reply_to ? <Fact name="Reply to">{email.reply_to}</Fact> : null}
      <Fact name="Template">
        <Link
          to="/settings/email-templates/$key"
          params={{ key: email.template }}
          search={{ locale: email.locale === "en" ? undefined : email.locale }}
          className={TEXT_LINK}
        >
          {email.template}
        </Link>
        , {versionWords(email.version)}, in {languageName(email.locale)}
      </Fact>
      <Fact name="Queued">
        <Moment at={email.created_at} />
      </Fact>
      <Fact name="Queued by">
        <Actor name={email.queued_by} />
      </Fact>
      {email.send_at ? (
        <Fact name="To be sent">
          <Moment at={email.send_at} />
        </Fact>
      ) : null}
      {email.expires_at ? (
        <Fact name="Not sent after">
          <Moment at={email.expires_at} />
        </Fact>
      ) : null}
      {email.resend_of ? (
        <Fact name="Sent again from">
          <Link
            to="/settings/emails"
            search={(before) => ({ ...before, email: email.resend_of ?? undefined })}
            className={TEXT_LINK}
          >
            an earlier message
          </Link>
        </Fact>
      ) : null}
      <Fact name="Attempts">{email.attempts === 0 ? "None yet" : email.attempts}</Fact>
      {email.provider ? (
        <Fact name="Handed to">
          {providerName(email.provider)}
          {email.provider_id ? (
            <>
              {" as "}
              <span className="font-mono text-xs">{email.provider_id}</span>
            </>
          ) : null}
        </Fact>
      ) : null}
      {email.attachments.length > 0 ? (
        <Fact name="Attachments">
          {email.attachments.map(({ filename, size }) => `${filename} (${sizeWords(size)})`).join(", ")}
        </Fact>
      ) : null}
      <Fact name="Id">
        <span className="font-mono text-xs">{email.id}</span>
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="contents">
      <dt className="text-muted">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Moment({ at }: { at: string }) {
  return <time dateTime={at}>{exactTime(new Date(at))}</time>;
}

function versionWords(version: number | null): string {
  if (version === null) return "a test of its draft";
  return version === 0 ? "the built-in words" : `version ${version}`;
}

function sizeWords(bytes: number): string {
  return bytes < 1000 ? `${bytes} bytes` : `${Math.round(bytes / 1000).toLocaleString("en")} KB`;
}
