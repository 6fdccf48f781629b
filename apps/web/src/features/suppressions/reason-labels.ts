import type { Suppression } from "@/client/types.gen";
import type { BadgeTone } from "@/components/ui/badge";

interface ReasonLabel {
  label: string;
  tone: BadgeTone;
  /** What to consider before the suppression is removed. */
  warning: string;
}

/** Every reason for a suppression. */
export const REASONS: Record<Suppression["reason"], ReasonLabel> = {
  bounce: {
    label: "Bounced",
    tone: "notice",
    warning:
      "Email to this address bounced permanently. If the mailbox still does not exist, the next email bounces too and suppresses it again. Bounces harm your reputation as a sender.",
  },
  complaint: {
    label: "Marked as spam",
    tone: "danger",
    warning:
      "This recipient marked your email as spam. Send email again only if they asked for it: further complaints can get all your email filtered, and it may be illegal.",
  },
  manual: {
    label: "Added manually",
    tone: "quiet",
    warning: "An admin suppressed this email address. Make sure that the reason no longer applies.",
  },
};
