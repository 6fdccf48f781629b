import { useQuery } from "@tanstack/react-query";
import type { EmailDetail } from "@/client/types.gen";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Drawer } from "@/components/ui/drawer";
import { ApiError, getErrorMessage } from "@/lib/errors";
import { EmailActions } from "./email-actions";
import { Message } from "./email-content";
import { EmailFacts } from "./email-details";
import { Timeline } from "./event-timeline";
import { email } from "./queries";
import { StatusBadge } from "./status-badge";
import { STATUSES, subjectOf } from "./status-labels";

interface EmailDrawerProps {
  id: string | undefined;
  /** Another message is to be shown. */
  onShow: (id: string) => void;
  onClose: () => void;
}

/** One message: what is known of it, what became of it, and what it said. */
export function EmailDrawer({ id, onShow, onClose }: EmailDrawerProps) {
  const { data, error, isFetching, refetch } = useQuery({ ...email(id ?? ""), enabled: Boolean(id) });
  const gone = error instanceof ApiError && error.status === 404;
  return (
    <Drawer
      open={Boolean(id)}
      onClose={onClose}
      title={data ? subjectOf(data) : error ? "This message cannot be shown" : "Loading…"}
    >
      {error ? (
        <div className="grid justify-items-start gap-4">
          <Alert tone={gone ? "notice" : "danger"}>
            {gone ? "There is no such message, or none any more." : getErrorMessage(error)}
          </Alert>
          {gone ? null : (
            <Button busy={isFetching} onClick={() => void refetch()}>
              Try again
            </Button>
          )}
        </div>
      ) : null}
      {data ? <Detail key={data.id} email={data} onShow={onShow} /> : null}
    </Drawer>
  );
}

function Detail({ email, onShow }: { email: EmailDetail; onShow: (id: string) => void }) {
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
      <EmailFacts email={email} />
      <Timeline events={email.events} />
      <Message email={email} />
    </>
  );
}
