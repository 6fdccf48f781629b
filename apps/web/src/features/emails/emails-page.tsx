import { type UseInfiniteQueryResult, useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { RefreshCw } from "lucide-react";
import { type RefObject, useEffect, useRef } from "react";
import type { Email } from "@/client/types.gen";
import { ListSkeleton } from "@/components/list-skeleton";
import { LoadFailed } from "@/components/load-failed";
import { PageHeading } from "@/components/page-heading";
import { ShowMore } from "@/components/show-more";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { ApiError, getErrorMessage } from "@/lib/errors";
import { focusRow } from "@/lib/row-focus";
import { clockTime } from "@/lib/time";
import { EmailDrawer } from "./email-drawer";
import { EmailFilters } from "./email-filters";
import { EmailTable } from "./email-table";
import { emails, type Filters } from "./queries";
import { isOnItsWay } from "./status-labels";

export interface EmailsSearch extends Filters {
  /** The message that is shown. */
  email?: string;
}

/** The e-mail log: what was sent to whom, and what became of it. */
export function EmailsPage({ search }: { search: EmailsSearch }) {
  const { email: chosen, ...filters } = search;
  const navigate = useNavigate({ from: "/settings/emails" });
  const list = useInfiniteQuery(emails(filters));
  const table = useRef<HTMLTableElement>(null);
  useFocusBack(table, chosen);
  const forbidden = list.error instanceof ApiError && list.error.status === 403;
  const items = forbidden ? undefined : list.data?.pages.flatMap((page) => page.items);
  return (
    <div className="grid grid-cols-1 gap-6" data-wide>
      <PageHeading
        title="E-mails"
        actions={
          items ? (
            <Button busy={list.isRefetching} onClick={() => void list.refetch()}>
              <RefreshCw size={16} aria-hidden />
              Reload
            </Button>
          ) : null
        }
      >
        Every message, and what became of it.
      </PageHeading>
      {forbidden ? null : (
        <EmailFilters
          filters={filters}
          onChange={(changes) =>
            void navigate({ search: (before) => ({ ...before, ...changes }), replace: true })
          }
        />
      )}
      {list.isPending ? <ListSkeleton label="Loading the e-mail log" /> : null}
      {list.error && !items ? <LoadFailed what="The e-mail log" query={list} /> : null}
      {items ? (
        <Log list={list} items={items} filtered={Object.values(filters).some(Boolean)} table={table} />
      ) : null}
      {forbidden ? null : (
        <EmailDrawer
          id={chosen}
          onShow={(email) => void navigate({ search: (before) => ({ ...before, email }) })}
          onClose={() =>
            void navigate({ search: (before) => ({ ...before, email: undefined }), resetScroll: false })
          }
        />
      )}
    </div>
  );
}

interface LogProps {
  list: UseInfiniteQueryResult & { isPlaceholderData: boolean };
  items: Email[];
  filtered: boolean;
  table: RefObject<HTMLTableElement | null>;
}

function Log({ list, items, filtered, table }: LogProps) {
  return (
    <>
      {list.error && !list.isFetchNextPageError ? (
        <Alert tone="danger">The e-mail log could not be reloaded. {getErrorMessage(list.error)}</Alert>
      ) : null}
      {items.length > 0 ? (
        <EmailTable ref={table} items={items} stale={list.isPlaceholderData} />
      ) : (
        <p className="card p-5 text-sm text-muted">
          {filtered ? "No message is like that." : "No message has been queued yet."}
        </p>
      )}
      <p className="-mt-3 text-sm text-muted">
        Read at {clockTime(new Date(list.dataUpdatedAt))}
        {items.some((email) => isOnItsWay(email)) ? "; read again by itself while mail is on its way." : "."}
      </p>
      <ShowMore list={list} shown={items.length} rows={table} />
    </>
  );
}

/** When the drawer closes, the focus is at the row of what it showed, also where that was not where it began. */
function useFocusBack(table: RefObject<HTMLTableElement | null>, chosen: string | undefined) {
  const before = useRef(chosen);
  useEffect(() => {
    const left = before.current;
    before.current = chosen;
    if (left && !chosen) focusRow(table.current, left);
  }, [chosen, table]);
}
