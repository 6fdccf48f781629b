import { type UseInfiniteQueryResult, useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowLeft, RefreshCw } from "lucide-react";
import { useEffect, useRef } from "react";
import type { Email } from "@/client/types.gen";
import { ListSkeleton } from "@/components/list-skeleton";
import { LoadFailed, ReloadFailed } from "@/components/load-failed";
import { PageHeading } from "@/components/page-heading";
import { ShowMore } from "@/components/show-more";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { isNotFound } from "@/lib/errors";
import { EmailDetail } from "./email-detail";
import { EmailList } from "./email-list";
import { capturedEmails } from "./queries";

export interface MailboxSearch {
  /** The id of the email that is shown. */
  email?: string;
}

/** The captured emails, for development. On a phone, the list and an email are shown in turn. */
export function MailboxPage({ selected }: { selected: string | undefined }) {
  const list = useInfiniteQuery(capturedEmails());
  // There is no mailbox where email is really sent.
  const missing = isNotFound(list.error);
  const items = missing ? undefined : list.data?.pages.flatMap((page) => page.items);
  return (
    <div className="grid grid-cols-1 gap-6" data-wide>
      <PageHeading
        title="Mailbox"
        className={items && selected ? "max-md:hidden" : undefined}
        actions={
          items ? (
            <Button busy={list.isRefetching} onClick={() => void list.refetch()}>
              <RefreshCw size={16} aria-hidden />
              Reload
            </Button>
          ) : null
        }
      >
        Email is captured here instead of being sent. The links in it work.
      </PageHeading>
      {list.isPending ? <ListSkeleton label="Loading the mailbox" rows={4} className="md:max-w-80" /> : null}
      {missing ? (
        <Alert tone="notice">
          There is no mailbox, because this service sends its emails. To capture them, set
          GATEPOST_MAIL_TRANSPORT=capture.
        </Alert>
      ) : list.error && !items ? (
        <LoadFailed what="The mailbox" query={list} />
      ) : null}
      {items ? <Panes list={list} items={items} selected={selected} /> : null}
    </div>
  );
}

interface PanesProps {
  list: UseInfiniteQueryResult;
  items: Email[];
  selected: string | undefined;
}

function Panes({ list, items, selected }: PanesProps) {
  const panes = useFocusOnSwitch(selected);
  return (
    <div
      ref={panes}
      className="grid grid-cols-1 items-start gap-6 md:grid-cols-[minmax(0,20rem)_minmax(0,1fr)]"
    >
      <div className={`grid grid-cols-1 gap-4 ${selected ? "max-md:hidden" : ""}`}>
        <ReloadFailed what="The mailbox" list={list} />
        <EmailList items={items} />
        <ShowMore list={list} shown={items.length} rows={panes} />
      </div>
      {selected ? (
        <div className="grid grid-cols-1 gap-4 md:sticky md:top-6">
          <Link
            to="/mailbox"
            className="inline-flex min-h-9 items-center gap-2 justify-self-start text-sm font-medium text-brand md:hidden"
          >
            <ArrowLeft size={16} aria-hidden />
            All emails
          </Link>
          <EmailDetail key={selected} id={selected} />
        </div>
      ) : items.length > 0 ? (
        <p className="card grid min-h-64 place-items-center p-6 text-muted max-md:hidden">
          Select an email to read it here.
        </p>
      ) : null}
    </div>
  );
}

/** Where the list and an email are shown in turn, moves the focus along: to the email's heading, and back to its row. */
function useFocusOnSwitch(selected: string | undefined) {
  const panes = useRef<HTMLDivElement>(null);
  const previous = useRef(selected);
  useEffect(() => {
    const left = previous.current;
    previous.current = selected;
    if (left === selected) return;
    const row = panes.current?.querySelector<HTMLElement>(`[data-row="${selected ?? left}"]`);
    const heading = panes.current?.querySelector<HTMLElement>("[data-email-heading]");
    // A hidden row has no rectangles.
    if (selected && !row?.getClientRects().length) heading?.focus();
    if (!selected) row?.focus();
  }, [selected]);
  return panes;
}
