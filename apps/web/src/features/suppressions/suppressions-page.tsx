import { type UseInfiniteQueryResult, useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useRef, useState } from "react";
import type { Suppression } from "@/client/types.gen";
import { ListSkeleton } from "@/components/list-skeleton";
import { LoadFailed, ReloadFailed } from "@/components/load-failed";
import { PageHeading } from "@/components/page-heading";
import { ShowMore } from "@/components/show-more";
import { Button } from "@/components/ui/button";
import { SearchBox } from "@/components/ui/search-box";
import { isForbidden } from "@/lib/errors";
import { focusRow, neighbor } from "@/lib/row-focus";
import { AddSuppression } from "./add-suppression";
import { useRemoveSuppression } from "./mutations";
import { suppressions } from "./queries";
import { RemoveSuppression } from "./remove-suppression";
import { SuppressionTable } from "./suppression-table";

export interface SuppressionsSearch {
  /** The start of an email address. */
  q?: string;
}

export function SuppressionsPage({ q }: SuppressionsSearch) {
  const navigate = useNavigate({ from: "/settings/suppressions" });
  const list = useInfiniteQuery(suppressions(q));
  const [adding, setAdding] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const forbidden = isForbidden(list.error);
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
              Suppress an email address
            </Button>
          ) : null
        }
      >
        No email is sent to these addresses: email to them bounced, was marked as spam, or an admin added
        them. Security email is still sent to the addresses that an admin added.
      </PageHeading>
      {forbidden ? null : (
        <SearchBox
          label="Search by email address"
          placeholder="Start of an email address"
          value={q ?? ""}
          onSearch={(typed) => void navigate({ search: { q: typed || undefined }, replace: true })}
        />
      )}
      {list.isPending ? <ListSkeleton label="Loading the suppressions" rows={4} control /> : null}
      {list.error && !items ? <LoadFailed what="The suppressions" query={list} /> : null}
      {items ? (
        <SuppressionList list={list} items={items} q={q} onEmpty={() => heading.current?.focus()} />
      ) : null}
      <AddSuppression open={adding} onClose={() => setAdding(false)} />
    </div>
  );
}

interface SuppressionListProps {
  list: UseInfiniteQueryResult & { isPlaceholderData: boolean };
  items: Suppression[];
  q: string | undefined;
  /** Called when the last row, which had the focus, is gone. */
  onEmpty: () => void;
}

function SuppressionList({ list, items, q, onEmpty }: SuppressionListProps) {
  const table = useRef<HTMLTableElement>(null);
  const [confirming, setConfirming] = useState<Suppression | null>(null);
  const remove = useRemoveSuppression();

  const handleConfirm = (suppression: Suppression) => {
    setConfirming(null);
    const next = neighbor(
      items.map((each) => each.id),
      suppression.id,
    );
    remove.mutate(suppression, { onSuccess: () => focusRow(table.current, next) || onEmpty() });
  };

  return (
    <>
      <ReloadFailed what="The suppressions" list={list} />
      {items.length > 0 ? (
        <SuppressionTable
          ref={table}
          items={items}
          stale={list.isPlaceholderData}
          removing={remove.isPending ? remove.variables.id : undefined}
          onRemove={setConfirming}
        />
      ) : (
        <p className="card p-5 text-sm text-muted">
          {q ? `No suppressed email address starts with “${q}”.` : "No email address is suppressed."}
        </p>
      )}
      <ShowMore list={list} shown={items.length} rows={table} />
      <RemoveSuppression
        suppression={confirming}
        onConfirm={handleConfirm}
        onClose={() => setConfirming(null)}
      />
    </>
  );
}
