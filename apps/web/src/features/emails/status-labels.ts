import type { Email, EmailDetail, EmailEvent } from "@/client/types.gen";
import type { Status } from "./statuses";

type Tone = "brand" | "danger" | "notice" | "quiet";

interface Told {
  word: string;
  tone: Tone;
  /** What it means, for who has never seen it. */
  meaning: string;
}

/** Every status in words. */
export const STATUSES: Record<Status, Told> = {
  scheduled: { word: "Scheduled", tone: "quiet", meaning: "It waits for its time." },
  queued: { word: "Waiting", tone: "quiet", meaning: "It goes out as soon as may be." },
  sending: { word: "Going out", tone: "quiet", meaning: "It is being handed over to be sent." },
  sent: { word: "Sent", tone: "brand", meaning: "It was handed over; whether it arrived is not known." },
  delivered: { word: "Delivered", tone: "brand", meaning: "The recipient's server has taken it." },
  delayed: { word: "Delayed", tone: "notice", meaning: "The recipient's server does not take it yet." },
  bounced: { word: "Bounced", tone: "danger", meaning: "The recipient's server has sent it back." },
  complained: { word: "Marked as spam", tone: "danger", meaning: "The recipient does not want such mail." },
  suppressed: {
    word: "Held back",
    tone: "notice",
    meaning: "It was not sent: nothing is sent to this address.",
  },
  failed: { word: "Failed", tone: "danger", meaning: "It was not sent, and is not tried again." },
  canceled: { word: "Canceled", tone: "quiet", meaning: "It was taken back before it was sent." },
  expired: { word: "Too late", tone: "notice", meaning: "Its time was over before it could be sent." },
  unknown: {
    word: "Not known",
    tone: "notice",
    meaning: "It may have gone out. It is not tried again by itself, for then it might come twice.",
  },
};

const MINUTE = 60_000;

/** Tells whether a message is about to change by itself, so that it is worth another look. */
export function isOnItsWay(email: Email, now = Date.now()): boolean {
  if (email.status === "queued" || email.status === "sending") return true;
  if (email.status === "scheduled") return Date.parse(email.send_at ?? "") < now + MINUTE;
  // Of the providers this one tells what became of it, mostly within seconds.
  return email.status === "sent" && email.provider === "resend" && ago(email, now) < 10 * MINUTE;
}

function ago(email: Email, now: number): number {
  return now - Date.parse(email.send_at ?? email.created_at);
}

/** What a message is called in a list. */
export function subjectOf({ subject, status }: Email): string {
  if (subject !== null) return subject;
  return ["scheduled", "queued", "sending"].includes(status) ? "No subject yet" : "No subject";
}

/** Tells whether a message can be taken back still. */
export function canCancel({ status }: Email): boolean {
  return status === "scheduled" || status === "queued";
}

/** Why a message cannot be sent again; null: it can. */
export function whyNotAgain(email: EmailDetail, now = Date.now()): string | null {
  if (canCancel(email) || email.status === "sending") return "It is on its way still.";
  if (isErased(email)) return "Its links and codes are erased.";
  if (email.version === null) return "It was the test of a template: send another from the editor.";
  if (email.expires_at && Date.parse(email.expires_at) <= now) return "Its time is over.";
  return null;
}

/** Security mail of an application: what it says is shown to nobody, and erased once it is sent. */
export function isErased({ subject, html }: EmailDetail): boolean {
  return subject !== null && html === null;
}

const PROVIDERS: Record<string, string> = {
  resend: "Resend",
  smtp: "the mail server",
  capture: "the mailbox, where mail is kept instead of sent",
};

/** What a message was handed to. */
export function providerName(provider: unknown): string {
  return PROVIDERS[String(provider)] ?? String(provider ?? "the provider");
}

const EVENTS: Record<string, string> = {
  queued: "Queued",
  scheduled: "Resend will send it at its time",
  deferred: "Could not be sent yet; it is tried again",
  sent: "Resend is sending it",
  delivered: "Delivered",
  delayed: "Delayed: the recipient's server does not take it yet",
  bounced: "Bounced",
  complained: "Marked as spam by the recipient",
  suppressed: "Held back",
  failed: "Failed",
  canceled: "Canceled",
  expired: "Too late to be sent",
  unknown: "Nobody knows whether it went out",
  opened: "Opened",
  clicked: "A link was followed",
};

/** A step in words. */
export function eventWords({ type, detail }: EmailEvent): string {
  if (type === "accepted") return `Handed to ${providerName(detail.provider)}`;
  return EVENTS[type] ?? type;
}
