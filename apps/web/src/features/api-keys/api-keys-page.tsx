import { type UseInfiniteQueryResult, useInfiniteQuery, useSuspenseQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { readMeOptions } from "@/client/@tanstack/react-query.gen";
import type { ApiKey } from "@/client/types.gen";
import { Confirm } from "@/components/confirm";
import { ListSkeleton } from "@/components/list-skeleton";
import { LoadFailed, ReloadFailed } from "@/components/load-failed";
import { PageHeading } from "@/components/page-heading";
import { ShowMore } from "@/components/show-more";
import { isForbidden } from "@/lib/errors";
import { ApiKeyTable, type KeyAction } from "./api-key-table";
import { useRevokeApiKey, useTakeOverApiKey } from "./mutations";
import { apiKeys } from "./queries";

/** The API keys, their owners, and the actions to take a key over and to revoke it. */
export function ApiKeysPage() {
  const list = useInfiniteQuery(apiKeys);
  const items = isForbidden(list.error) ? undefined : list.data?.pages.flatMap((page) => page.items);
  return (
    <div className="grid grid-cols-1 gap-6" data-wide>
      <PageHeading title="API keys">
        A key works as long as its owner is an admin. It is suspended when they are disabled, deleted or no
        longer an admin, until an admin takes it over.
      </PageHeading>
      {list.isPending ? <ListSkeleton label="Loading the API keys" rows={3} control /> : null}
      {list.error && !items ? <LoadFailed what="The API keys" query={list} /> : null}
      {items ? <ApiKeyList list={list} items={items} /> : null}
    </div>
  );
}

function ApiKeyList({ list, items }: { list: UseInfiniteQueryResult; items: ApiKey[] }) {
  const { data: me } = useSuspenseQuery(readMeOptions());
  const table = useRef<HTMLTableElement>(null);
  const [asked, setAsked] = useState<{ action: KeyAction; key: ApiKey } | null>(null);
  const mutations = { "take-over": useTakeOverApiKey(), revoke: useRevokeApiKey() };
  const running = Object.values(mutations).find((mutation) => mutation.isPending);

  return (
    <>
      <ReloadFailed what="The API keys" list={list} />
      {items.length > 0 ? (
        <ApiKeyTable
          ref={table}
          items={items}
          userId={me.user.id}
          busy={running?.variables?.id}
          onAct={(action, key) => setAsked({ action, key })}
        />
      ) : (
        <p className="card p-5 text-sm text-muted">
          There are no API keys. Create one with <code>gatepost keys create</code>.
        </p>
      )}
      <ShowMore list={list} shown={items.length} rows={table} />
      <Confirm
        open={asked !== null}
        {...questionAbout(asked?.action ?? "revoke", asked?.key.name ?? "")}
        onClose={() => setAsked(null)}
        onConfirm={() => {
          if (asked) mutations[asked.action].mutate(asked.key);
          setAsked(null);
        }}
      />
    </>
  );
}

function questionAbout(action: KeyAction, name: string) {
  return action === "take-over"
    ? {
        title: `Take over ${name}?`,
        description:
          "You become its owner, and it works as long as you are an admin. Its secret stays the same: if somebody should no longer use it, revoke it instead.",
        action: `Take over ${name}`,
      }
    : {
        title: `Revoke ${name}?`,
        description: "Requests with this key fail from now on. This cannot be undone.",
        action: `Revoke ${name}`,
        danger: true,
      };
}
