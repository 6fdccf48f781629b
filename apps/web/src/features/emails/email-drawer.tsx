import { useQuery } from "@tanstack/react-query";
import type { EmailDetail } from "@/client/types.gen";
import { LoadFailed } from "@/components/load-failed";
import { Alert } from "@/components/ui/alert";
import { Drawer } from "@/components/ui/drawer";
import { isNotFound } from "@/lib/errors";
import { EmailActions } from "./email-actions";
import { EmailContent } from "./email-content";
import { EmailDetails } from "./email-details";
import { displaySubject } from "./email-state";
import { EventTimeline } from "./event-timeline";
import { email } from "./queries";
import { StatusBadge } from "./status-badge";
import { STATUSES } from "./status-labels";

interface EmailDrawerProps {
  id: string | undefined;
  /** Shows another email. */
  onShow: (id: string) => void;
  onClose: () => void;
}

/** One email: its status, its properties, its events and its content. */
export function EmailDrawer({ id, onShow, onClose }: EmailDrawerProps) {
  const query = useQuery({ ...email(id ?? ""), enabled: Boolean(id) });
  const { data, error } = query;
  return (
    <Drawer
      open={Boolean(id)}
      onClose={onClose}
      title={data ? displaySubject(data) : error ? "Email not available" : "Loading…"}
    >
      {isNotFound(error) ? (
        <Alert tone="notice">This email does not exist, or was deleted.</Alert>
      ) : error ? (
        <LoadFailed what="This email" query={query} />
      ) : null}
      {data ? <Email key={data.id} email={data} onShow={onShow} /> : null}
    </Drawer>
  );
}

function Email({ email, onShow }: { email: EmailDetail; onShow: (id: string) => void }) {
  return (
    <>
      <div className="grid gap-2">
        <div className="flex flex-wrap items-center gap-2 text-sm">
          <StatusBadge status={email.status} />
          <span className="text-muted">{STATUSES[email.status].meaning}</span>
        </div>
        {email.last_error ? (
          <p className="rounded-lg bg-sunken px-4 py-3 text-sm wrap-anywhere">{email.last_error}</p>
        ) : null}
      </div>
      <EmailActions email={email} onShow={onShow} />
      <EmailDetails email={email} />
      <EventTimeline events={email.events} />
      <EmailContent email={email} />
    </>
  );
}
