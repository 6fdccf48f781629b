import type { Email, EmailEvent } from "@/client/types.gen";
import type { BadgeTone } from "@/components/ui/badge";

export type Status = Email["status"];

interface StatusLabel {
  label: string;
  tone: BadgeTone;
  /** What the status means, in a sentence. */
  meaning: string;
}

/** Every status, in the order in which an email goes through them. */
export const STATUSES: Record<Status, StatusLabel> = {
  scheduled: { label: "Scheduled", tone: "quiet", meaning: "This email will be sent at its scheduled time." },
  queued: { label: "Queued", tone: "quiet", meaning: "This email is waiting to be sent." },
  sending: { label: "Sending", tone: "quiet", meaning: "This email is being handed over to the provider." },
  sent: {
    label: "Sent",
    tone: "brand",
    meaning: "The provider accepted this email. Whether it was delivered is not known.",
  },
  delivered: {
    label: "Delivered",
    tone: "brand",
    meaning: "The recipient’s mail server accepted this email.",
  },
  delayed: {
    label: "Delayed",
    tone: "notice",
    meaning: "The recipient’s mail server has not accepted this email yet. The provider keeps trying.",
  },
  bounced: { label: "Bounced", tone: "danger", meaning: "The recipient’s mail server rejected this email." },
  complained: {
    label: "Marked as spam",
    tone: "danger",
    meaning: "The recipient marked this email as spam.",
  },
  suppressed: {
    label: "Suppressed",
    tone: "notice",
    meaning: "This email was not sent: the recipient is suppressed.",
  },
  failed: { label: "Failed", tone: "danger", meaning: "This email was not sent, and will not be retried." },
  canceled: { label: "Canceled", tone: "quiet", meaning: "This email was canceled before it was sent." },
  expired: { label: "Expired", tone: "notice", meaning: "This email expired before it could be sent." },
  unknown: {
    label: "Unknown",
    tone: "notice",
    meaning: "This email may have been sent. It is not retried, since it might arrive twice.",
  },
};

export const STATUS_NAMES = Object.keys(STATUSES) as Status[];

const EVENTS: Record<string, string> = {
  queued: "Queued",
  scheduled: "Scheduled at Resend",
  deferred: "Could not be sent yet; will be retried",
  sent: "Being sent by Resend",
  delivered: "Delivered",
  delayed: "Delayed by the recipient’s mail server",
  bounced: "Bounced",
  complained: "Marked as spam by the recipient",
  suppressed: "Suppressed",
  failed: "Failed",
  canceled: "Canceled",
  expired: "Expired",
  unknown: "Unknown whether it was sent",
  opened: "Opened",
  clicked: "Link clicked",
};

/** Returns the label of an event; that of an unknown type is the type itself. */
export function eventLabel({ type, detail }: EmailEvent): string {
  if (type !== "accepted") return EVENTS[type] ?? type;
  if (detail.provider === "capture") return "Captured in the mailbox, not sent";
  return `Accepted by ${detail.provider ? providerName(String(detail.provider)) : "the provider"}`;
}

const PROVIDERS: Record<string, string> = {
  resend: "Resend",
  smtp: "SMTP server",
  capture: "Mailbox (captured, not sent)",
};

export function providerName(provider: string): string {
  return PROVIDERS[provider] ?? provider;
}
