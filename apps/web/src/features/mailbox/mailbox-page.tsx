import { type UseInfiniteQueryResult, useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowLeft, RefreshCw } from "lucide-react";
import { useEffect, useRef } from "react";
import type { Email } from "@/client/types.gen";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { ApiError, getErrorMessage } from "@/lib/errors";
import { MailDetail } from "./email-detail";
import { MailList } from "./email-list";
import { MailboxSkeleton } from "./mailbox-skeleton";
import { mailbox } from "./queries";

/** What the service would have sent, for whoever works on it. On a phone: the list, then one mail. */
export function MailboxPage({ chosen }: { chosen: string | undefined }) {
  const list = useInfiniteQuery(mailbox());
  const status = list.error instanceof ApiError ? list.error.status : null;
  const shown = list.data && status !== 404;
  return (
    <div className="grid grid-cols-1 gap-6" data-wide>
      <div
        className={`flex flex-wrap items-end justify-between gap-4 ${shown && chosen ? "max-md:hidden" : ""}`}
      >
        <div className="grid gap-1.5">
          <h1 className="text-2xl font-semibold tracking-tight sm:text-3xl">Mailbox</h1>
          <p className="max-w-prose text-muted">
            Mail that would have gone out is kept here instead. Its links work.
          </p>
        </div>
        {shown ? (
          <Button busy={list.isRefetching} onClick={() => void list.refetch()}>
            <RefreshCw size={16} aria-hidden />
            {list.isRefetching ? "Reloading…" : "Reload"}
          </Button>
        ) : null}
      </div>
      {list.isPending ? <MailboxSkeleton /> : null}
      {list.error && !shown ? (
        <Failed
          status={status}
          error={list.error}
          busy={list.isFetching}
          onRetry={() => void list.refetch()}
        />
      ) : null}
      {shown ? (
        <Panes list={list} items={list.data.pages.flatMap((page) => page.items)} chosen={chosen} />
      ) : null}
    </div>
  );
}

interface PanesProps {
  list: UseInfiniteQueryResult;
  items: Email[];
  chosen: string | undefined;
}

function Panes({ list, items, chosen }: PanesProps) {
  const panes = useFocusBetween(chosen);
  const goOnAt = useRef<number | null>(null);
  const showMore = () => {
    goOnAt.current = items.length;
    void list.fetchNextPage();
  };
  useEffect(() => {
    if (goOnAt.current === null || goOnAt.current >= items.length) return;
    // The button may be gone: whoever works by keyboard goes on at the first of what came.
    panes.current?.querySelectorAll<HTMLElement>("[data-mail]")[goOnAt.current]?.focus();
    goOnAt.current = null;
  }, [items.length, panes]);
  return (
    <div
      ref={panes}
      className="grid grid-cols-1 items-start gap-6 md:grid-cols-[minmax(0,20rem)_minmax(0,1fr)]"
    >
      <div className={`grid grid-cols-1 gap-4 ${chosen ? "max-md:hidden" : ""}`}>
        {list.error && !list.isFetchNextPageError ? (
          <Alert tone="danger">The mailbox could not be reloaded. {getErrorMessage(list.error)}</Alert>
        ) : null}
        <MailList items={items} />
        {list.isFetchNextPageError ? (
          <Alert tone="danger">No more could be loaded. {getErrorMessage(list.error)}</Alert>
        ) : null}
        {list.hasNextPage ? (
          <Button busy={list.isFetchingNextPage} onClick={showMore}>
            {list.isFetchingNextPage ? "Loading…" : "Show more"}
          </Button>
        ) : null}
      </div>
      {chosen ? (
        <div className="grid grid-cols-1 gap-4 md:sticky md:top-6">
          <Link
            to="/mailbox"
            className="inline-flex min-h-9 items-center gap-2 justify-self-start text-sm font-medium text-brand md:hidden"
          >
            <ArrowLeft size={16} aria-hidden />
            All mail
          </Link>
          <MailDetail key={chosen} id={chosen} />
        </div>
      ) : items.length > 0 ? (
        <p className="card grid min-h-64 place-items-center p-6 text-muted max-md:hidden">
          Choose a mail to read it here.
        </p>
      ) : null}
    </div>
  );
}

interface FailedProps {
  status: number | null;
  error: unknown;
  busy: boolean;
  onRetry: () => void;
}

function Failed({ status, error, busy, onRetry }: FailedProps) {
  if (status === 404) {
    return (
      <Alert tone="notice">
        This service really sends its mail, so none is kept here. There is a mailbox only where
        GATEPOST_MAIL_TRANSPORT is “capture”.
      </Alert>
    );
  }
  if (status === 403) return <Alert tone="notice">The mailbox is for administrators.</Alert>;
  return (
    <div className="grid justify-items-start gap-4">
      <Alert tone="danger">The mailbox could not be loaded. {getErrorMessage(error)}</Alert>
      <Button variant="primary" busy={busy} onClick={onRetry}>
        Try again
      </Button>
    </div>
  );
}

/** Where the list and the mail take turns, the focus goes along: into the mail, and back to its row. */
function useFocusBetween(chosen: string | undefined) {
  const panes = useRef<HTMLDivElement>(null);
  const before = useRef(chosen);
  useEffect(() => {
    const left = before.current;
    before.current = chosen;
    if (left === chosen) return;
    const row = panes.current?.querySelector<HTMLElement>(`[data-mail="${chosen ?? left}"]`);
    const heading = panes.current?.querySelector<HTMLElement>("[data-mail-heading]");
    // A row that is hidden has no rectangles.
    if (chosen && !row?.getClientRects().length) heading?.focus();
    if (!chosen) row?.focus();
  }, [chosen]);
  return panes;
}
