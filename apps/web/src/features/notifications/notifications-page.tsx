import { useQuery } from "@tanstack/react-query";
import { Lock } from "lucide-react";
import { useId } from "react";
import type { Notification } from "@/client/types.gen";
import { ListSkeleton } from "@/components/list-skeleton";
import { LoadFailed } from "@/components/load-failed";
import { PageHeading } from "@/components/page-heading";
import { Switch } from "@/components/ui/switch";
import { useUpdateNotification } from "./mutations";
import { notifications } from "./queries";

export function NotificationsPage() {
  const query = useQuery(notifications());
  const { data, error, isPending } = query;
  return (
    <div className="grid grid-cols-1 gap-8">
      <PageHeading title="Notifications">The emails that we send you.</PageHeading>
      {isPending ? <ListSkeleton label="Loading your notifications" control /> : null}
      {error && !data ? <LoadFailed what="Your notifications" query={query} /> : null}
      {data ? (
        <>
          <OptionalNotifications items={data.items.filter((item) => !item.security)} />
          <SecurityNotifications items={data.items.filter((item) => item.security)} />
        </>
      ) : null}
    </div>
  );
}

function OptionalNotifications({ items }: { items: Notification[] }) {
  const id = useId();
  const update = useUpdateNotification();
  if (items.length === 0) return null;
  return (
    <section aria-labelledby={id} className="grid gap-3">
      <h2 id={id} className="text-lg font-semibold">
        Optional
      </h2>
      <ul className="card divide-y divide-line overflow-clip">
        {items.map((notification) => (
          <li key={notification.key}>
            <Switch
              label={notification.name}
              description={notification.description}
              checked={notification.enabled}
              onChange={(enabled) => update.mutate({ notification, enabled })}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}

function SecurityNotifications({ items }: { items: Notification[] }) {
  const id = useId();
  if (items.length === 0) return null;
  return (
    <section aria-labelledby={id} className="grid gap-3">
      <div className="grid gap-1">
        <h2 id={id} className="text-lg font-semibold">
          Security
        </h2>
        <p className="max-w-prose text-sm text-muted">
          These warn you when someone else may have access to your account. They cannot be turned off.
        </p>
      </div>
      <ul className="card divide-y divide-line">
        {items.map((notification) => (
          <li key={notification.key} className="flex items-center gap-4 p-4 sm:px-5">
            <div className="grid min-w-0 grow gap-0.5">
              <p className="font-medium">{notification.name}</p>
              <p className="text-sm text-muted">{notification.description}</p>
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
