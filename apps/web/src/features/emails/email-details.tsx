import { Link } from "@tanstack/react-router";
import type { EmailDetail } from "@/client/types.gen";
import { Actor } from "@/components/actor";
import { Description, DescriptionList } from "@/components/ui/description-list";
import { TEXT_LINK } from "@/components/ui/text-link";
import { languageName } from "@/lib/languages";
import { exactTime } from "@/lib/time";
import { providerName } from "./status-labels";

/** The properties of an email, as names and values. */
export function EmailDetails({ email }: { email: EmailDetail }) {
  return (
    <DescriptionList>
      <Description name="To">{email.to}</Description>
      {email.reply_to ? <Description name="Reply to">{email.reply_to}</Description> : null}
      <Description name="Template">
        <Link
          to="/settings/email-templates/$key"
          params={{ key: email.template }}
          search={{ locale: email.locale === "en" ? undefined : email.locale }}
          className={TEXT_LINK}
        >
          {email.template}
        </Link>
        , {versionName(email.version)}, in {languageName(email.locale)}
      </Description>
      <Description name="Queued">
        <Time at={email.created_at} />
      </Description>
      <Description name="Queued by">
        <Actor name={email.queued_by} />
      </Description>
      {email.send_at ? (
        <Description name="Scheduled for">
          <Time at={email.send_at} />
        </Description>
      ) : null}
      {email.expires_at ? (
        <Description name="Expires">
          <Time at={email.expires_at} />
        </Description>
      ) : null}
      {email.resend_of ? (
        <Description name="Sent again from">
          <Link
            to="/settings/emails"
            search={(before) => ({ ...before, email: email.resend_of ?? undefined })}
            className={TEXT_LINK}
          >
            an earlier email
          </Link>
        </Description>
      ) : null}
      <Description name="Attempts">{email.attempts}</Description>
      {email.provider ? <Description name="Provider">{providerName(email.provider)}</Description> : null}
      {email.provider_id ? (
        <Description name="Provider ID">
          <span className="font-mono text-xs">{email.provider_id}</span>
        </Description>
      ) : null}
      {email.attachments.length > 0 ? (
        <Description name="Attachments">
          {email.attachments.map(({ filename, size }) => `${filename} (${formatSize(size)})`).join(", ")}
        </Description>
      ) : null}
      <Description name="ID">
        <span className="font-mono text-xs">{email.id}</span>
      </Description>
    </DescriptionList>
  );
}

function Time({ at }: { at: string }) {
  return <time dateTime={at}>{exactTime(new Date(at))}</time>;
}

function versionName(version: number | null): string {
  if (version === null) return "test of a draft";
  return version === 0 ? "built-in template" : `version ${version}`;
}

function formatSize(bytes: number): string {
  return bytes < 1000 ? `${bytes} bytes` : `${Math.round(bytes / 1000).toLocaleString("en")} KB`;
}
