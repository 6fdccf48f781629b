import type { Email, EmailDetail } from "@/client/types.gen";

const MINUTE = 60_000;
const RESULT_WINDOW = 10 * MINUTE;

/** Returns whether the email has not been sent yet. */
export function isUnsent({ status }: Pick<Email, "status">): boolean {
  return canCancel({ status }) || status === "sending";
}

/** Returns whether the status will soon change by itself, so that it is worth loading again. */
export function isInProgress(email: Email, now = Date.now()): boolean {
  if (email.status === "queued" || email.status === "sending") return true;
  if (email.status === "scheduled") return Date.parse(email.send_at ?? "") < now + MINUTE;
  // Resend reports the result of a delivery, usually within seconds; the other providers do not.
  const sentAt = Date.parse(email.send_at ?? email.created_at);
  return email.status === "sent" && email.provider === "resend" && now - sentAt < RESULT_WINDOW;
}

export function canCancel({ status }: Pick<Email, "status">): boolean {
  return status === "scheduled" || status === "queued";
}

/** Returns why an email cannot be sent again, or null when it can. */
export function whyNotResendable(email: EmailDetail, now = Date.now()): string | null {
  if (isUnsent(email)) return "It has not been sent yet.";
  if (email.content_hidden) return "Its links and codes were erased.";
  if (email.version === null) return "It was a test of a template. Send another test from the editor.";
  if (email.expires_at && Date.parse(email.expires_at) <= now) return "It has expired.";
  return null;
}

/** Returns the subject to show in a list or a heading. */
export function displaySubject(email: Email): string {
  if (email.subject !== null) return email.subject;
  if (email.content_hidden) return "Subject hidden: it may contain a secret";
  return isUnsent(email) ? "No subject yet" : "No subject";
}
