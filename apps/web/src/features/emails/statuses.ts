import type { Email } from "@/client/types.gen";

export type Status = Email["status"];

/** In the order in which a message goes through them. */
export const STATUS_NAMES: Status[] = [
  "scheduled",
  "queued",
  "sending",
  "sent",
  "delivered",
  "delayed",
  "bounced",
  "complained",
  "suppressed",
  "failed",
  "canceled",
  "expired",
  "unknown",
];
