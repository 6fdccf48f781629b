import type { Suppression } from "@/client/types.gen";

type Tone = "danger" | "notice" | "quiet";

/** Why an address is not written to, and what to think of before it is again. */
export const REASONS: Record<Suppression["reason"], { word: string; tone: Tone; before: string }> = {
  bounce: {
    word: "Bounced",
    tone: "notice",
    before:
      "Mail to this address came back for good. If its mailbox still does not exist, the next message bounces too and puts it here again; bounces make providers trust your mail less.",
  },
  complaint: {
    word: "Marked as spam",
    tone: "danger",
    before:
      "This person told their provider that your mail is spam. Write to them again only if they asked for it: more complaints can get everybody's mail from you filtered, and writing on may be against the law.",
  },
  manual: {
    word: "By hand",
    tone: "quiet",
    before: "Somebody put this address here. Make sure that what they wrote down is over.",
  },
};
