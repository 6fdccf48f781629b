import { type UseInfiniteQueryResult, useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { RefreshCw } from "lucide-react";
import { type RefObject, useEffect, useRef } from "react";
import type { Email } from "@/client/types.gen";
import { ListSkeleton } from "@/components/list-skeleton";
import { LoadFailed, ReloadFailed } from "@/components/load-failed";
import { PageHeading } from "@/components/page-heading";
import { ShowMore } from "@/components/show-more";
import { Button } from "@/components/ui/button";
import { isForbidden } from "@/lib/errors";
import { focusRow } from "@/lib/row-focus";
import { clockTime } from "@/lib/time";
import { EmailDrawer } from "./email-drawer";
import { EmailFilters } from "./email-filters";
import { isInProgress } from "./email-state";
import { EmailTable } from "./email-table";
import { emails, type Filters } from "./queries";

export interface EmailsSearch extends Filters {
  /** The id of the email in the drawer. */
  email?: string;
}

/** The email log. */
export function EmailsPage({ search }: { search: EmailsSearch }) {
  const { email: selected, ...filters } = search;
  const navigate = useNavigate({ from: "/settings/emails" });
  const list = useInfiniteQuery(emails(filters));
  const table = useRef<HTMLTableElement>(null);
  useReturnFocus(table, selected);
  const forbidden = isForbidden(list.error);
  const items = forbidden ? undefined : list.data?.pages.flatMap((page) => page.items);
  return (
    <div className="grid grid-cols-1 gap-6" data-wide>
      <PageHeading
        title="Emails"
        actions={
          items ? (
            <Button busy={list.isRefetching} onClick={() => void list.refetch()}>
              <RefreshCw size={16} aria-hidden />
              Reload
            </Button>
          ) : null
        }
      >
        Every email and its status.
      </PageHeading>
      {forbidden ? null : (
        <EmailFilters
          filters={filters}
          onChange={(changes) =>
            void navigate({ search: (before) => ({ ...before, ...changes }), replace: true })
          }
        />
      )}
      {list.isPending ? <ListSkeleton label="Loading the email log" rows={6} control /> : null}
      {list.error && !items ? <LoadFailed what="The email log" query={list} /> : null}
      {items ? (
        <EmailLog list={list} items={items} filtered={Object.values(filters).some(Boolean)} table={table} />
      ) : null}
      {forbidden ? null : (
        <EmailDrawer
          id={selected}
          onShow={(email) => void navigate({ search: (before) => ({ ...before, email }) })}
          onClose={() =>
            void navigate({ search: (before) => ({ ...before, email: undefined }), resetScroll: false })
          }
        />
      )}
    </div>
  );
}

interface EmailLogProps {
  list: UseInfiniteQueryResult & { isPlaceholderData: boolean };
  items: Email[];
  filtered: boolean;
  table: RefObject<HTMLTableElement | null>;
}

function EmailLog({ list, items, filtered, table }: EmailLogProps) {
  return (
    <>
      <ReloadFailed what="The email log" list={list} />
      {items.length > 0 ? (
        <EmailTable ref={table} items={items} stale={list.isPlaceholderData} />
      ) : (
        <p className="card p-5 text-sm text-muted">
          {filtered ? "No email matches these filters." : "No email has been queued yet."}
        </p>
      )}
      <p className="-mt-3 text-sm text-muted">
        Updated at {clockTime(new Date(list.dataUpdatedAt))}.
        {items.some((email) => isInProgress(email))
          ? " Updates automatically while emails are being sent."
          : ""}
      </p>
      <ShowMore list={list} shown={items.length} rows={table} />
    </>
  );
}

/** When the drawer closes, focuses the row of its email, which may not be the one that was clicked. */
function useReturnFocus(table: RefObject<HTMLTableElement | null>, selected: string | undefined) {
  const previous = useRef(selected);
  useEffect(() => {
    const closed = previous.current;
    previous.current = selected;
    if (closed && !selected) focusRow(table.current, closed);
  }, [selected, table]);
}
