import { type UseInfiniteQueryResult, useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useRef, useState } from "react";
import type { Suppression } from "@/client/types.gen";
import { ListSkeleton } from "@/components/list-skeleton";
import { LoadFailed } from "@/components/load-failed";
import { PageHeading } from "@/components/page-heading";
import { ShowMore } from "@/components/show-more";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { SearchBox } from "@/components/ui/search-box";
import { ApiError, getErrorMessage } from "@/lib/errors";
import { focusRow, neighbour } from "@/lib/row-focus";
import { AddSuppression } from "./add-suppression";
import { useRemoveSuppression } from "./mutations";
import { suppressions } from "./queries";
import { RemoveSuppression } from "./remove-suppression";
import { SuppressionTable } from "./suppression-table";

export interface SuppressionsSearch {
  /** The beginning of an address. */
  q?: string;
}

/** The addresses that nothing is sent to. */
export function SuppressionsPage({ q }: SuppressionsSearch) {
  const navigate = useNavigate({ from: "/settings/suppressions" });
  const list = useInfiniteQuery(suppressions(q));
  const [adding, setAdding] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const forbidden = list.error instanceof ApiError && list.error.status === 403;
  const items = forbidden ? undefined : list.data?.pages.flatMap((page) => page.items);
  return (
    <div className="grid grid-cols-1 gap-6" data-wide>
      <PageHeading
        ref={heading}
        title="Suppressions"
        actions={
          items ? (
            <Button variant="primary" onClick={() => setAdding(true)}>
              <Plus size={16} aria-hidden />
              Suppress an address
            </Button>
          ) : null
        }
      >
        Addresses that nothing is sent to: mail to them bounced, was marked as spam, or you said so.
      </PageHeading>
      {forbidden ? null : (
        <SearchBox
          label="Search by the beginning of an address"
          placeholder="Beginning of an address"
          value={q ?? ""}
          onSearch={(typed) => void navigate({ search: { q: typed || undefined }, replace: true })}
        />
      )}
      {list.isPending ? <ListSkeleton label="Loading the suppressions" rows={4} /> : null}
      {list.error && !items ? <LoadFailed what="The suppressions" query={list} /> : null}
      {items ? <Listed list={list} items={items} q={q} onEmptied={() => heading.current?.focus()} /> : null}
      <AddSuppression open={adding} onClose={() => setAdding(false)} />
    </div>
  );
}

interface ListedProps {
  list: UseInfiniteQueryResult & { isPlaceholderData: boolean };
  items: Suppression[];
  q: string | undefined;
  /** The last row is gone, and so is what had the focus. */
  onEmptied: () => void;
}

function Listed({ list, items, q, onEmptied }: ListedProps) {
  const table = useRef<HTMLTableElement>(null);
  const [asked, setAsked] = useState<Suppression | null>(null);
  const remove = useRemoveSuppression();

  const handleConfirm = (suppression: Suppression) => {
    setAsked(null);
    const next = neighbour(
      items.map((each) => each.id),
      suppression.id,
    );
    remove.mutate(suppression, { onSuccess: () => focusRow(table.current, next) || onEmptied() });
  };

  return (
    <>
      {list.error && !list.isFetchNextPageError ? (
        <Alert tone="danger">The suppressions could not be reloaded. {getErrorMessage(list.error)}</Alert>
      ) : null}
      {items.length > 0 ? (
        <SuppressionTable
          ref={table}
          items={items}
          stale={list.isPlaceholderData}
          removing={remove.isPending ? remove.variables.id : undefined}
          onRemove={setAsked}
        />
      ) : (
        <p className="card p-5 text-sm text-muted">
          {q ? `No address on the list begins with “${q}”.` : "Nobody is on the list: mail goes to everyone."}
        </p>
      )}
      <ShowMore list={list} shown={items.length} rows={table} />
      <RemoveSuppression suppression={asked} onConfirm={handleConfirm} onClose={() => setAsked(null)} />
    </>
  );
}
