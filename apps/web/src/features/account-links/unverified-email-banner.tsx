import { useSuspenseQuery } from "@tanstack/react-query";
import { Mail } from "lucide-react";
import { readMeOptions } from "@/client/@tanstack/react-query.gen";
import { SendVerification } from "./send-verification";

/** Asks the user to confirm their email address, until they have. */
export function UnverifiedEmailBanner() {
  const { data: me } = useSuspenseQuery(readMeOptions());
  const { email, email_verified_at } = me.user;
  if (email_verified_at !== null) return null;
  return (
    <section aria-label="Confirm your email address" className="grid gap-3 pt-6">
      <SendVerification email={email}>
        {(button) => (
          <div className="card flex flex-wrap items-center gap-x-4 gap-y-3 px-4 py-3 text-sm">
            <Mail size={18} className="shrink-0 text-muted max-sm:hidden" aria-hidden />
            <p className="min-w-60 flex-1">
              Confirm your email address: open the link in our email to{" "}
              <span className="font-medium wrap-anywhere">{email}</span>.
            </p>
            {button}
          </div>
        )}
      </SendVerification>
    </section>
  );
}
