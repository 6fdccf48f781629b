import { useQuery } from "@tanstack/react-query";
import { Lock } from "lucide-react";
import { useId } from "react";
import type { Notice } from "@/client/types.gen";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Switch } from "@/components/ui/switch";
import { getErrorMessage } from "@/lib/errors";
import { useSetNotice } from "./mutations";
import { NoticesSkeleton } from "./notifications-skeleton";
import { notices } from "./queries";

export function NoticesPage() {
  const { data, error, isPending, refetch, isFetching } = useQuery(notices());
  return (
    <div className="grid grid-cols-1 gap-8">
      <div className="grid gap-1.5">
        <h1 className="text-2xl font-semibold tracking-tight sm:text-3xl">Notifications</h1>
        <p className="max-w-prose text-muted">Which mails we send you.</p>
      </div>
      {isPending ? <NoticesSkeleton /> : null}
      {error && !data ? (
        <div className="grid justify-items-start gap-4">
          <Alert tone="danger">Your notifications could not be loaded. {getErrorMessage(error)}</Alert>
          <Button variant="primary" busy={isFetching} onClick={() => void refetch()}>
            Try again
          </Button>
        </div>
      ) : null}
      {data ? (
        <>
          <Choices items={data.items.filter((notice) => !notice.security)} />
          <AlwaysOn items={data.items.filter((notice) => notice.security)} />
        </>
      ) : null}
    </div>
  );
}

function Choices({ items }: { items: Notice[] }) {
  const id = useId();
  const set = useSetNotice();
  if (items.length === 0) return null;
  return (
    <section aria-labelledby={id} className="grid gap-3">
      <h2 id={id} className="text-lg font-semibold">
        Your choice
      </h2>
      <ul className="card divide-y divide-line overflow-clip">
        {items.map((notice) => (
          <li key={notice.key}>
            <Switch
              label={notice.name}
              description={notice.description}
              checked={notice.enabled}
              onChange={(enabled) => set.mutate({ notice, enabled })}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}

function AlwaysOn({ items }: { items: Notice[] }) {
  const id = useId();
  if (items.length === 0) return null;
  return (
    <section aria-labelledby={id} className="grid gap-3">
      <div className="grid gap-1">
        <h2 id={id} className="text-lg font-semibold">
          Security
        </h2>
        <p className="max-w-prose text-sm text-muted">
          These cannot be turned off. They are how you learn that somebody else is in your account, and
          whoever that is would turn them off first.
        </p>
      </div>
      <ul className="card divide-y divide-line">
        {items.map((notice) => (
          <li key={notice.key} className="flex items-center gap-4 p-4 sm:px-5">
            <div className="grid min-w-0 grow gap-0.5">
              <p className="font-medium">{notice.name}</p>
              <p className="text-sm text-muted">{notice.description}</p>
            </div>
            <p className="flex shrink-0 items-center gap-1.5 text-sm text-muted">
              <Lock size={14} aria-hidden />
              Always on
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}
