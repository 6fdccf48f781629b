import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import { type RefObject, useEffect, useRef } from "react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { getErrorMessage } from "@/lib/errors";

interface ShowMoreProps {
  list: UseInfiniteQueryResult;
  /** The number of rows that are shown. */
  shown: number;
  /** The element that contains the rows; each row has a `data-row`. */
  rows: RefObject<HTMLElement | null>;
}

/** Loads the next page of a list and focuses its first row. */
export function ShowMore({ list, shown, rows }: ShowMoreProps) {
  const focusIndex = useRef<number | null>(null);
  useEffect(() => {
    if (focusIndex.current === null || focusIndex.current >= shown) return;
    rows.current?.querySelectorAll<HTMLElement>("[data-row]")[focusIndex.current]?.focus();
    focusIndex.current = null;
  }, [shown, rows]);
  const handleClick = () => {
    focusIndex.current = shown;
    void list.fetchNextPage();
  };
  return (
    <>
      {list.isFetchNextPageError ? (
        <Alert tone="danger">Could not load more. {getErrorMessage(list.error)}</Alert>
      ) : null}
      {list.hasNextPage ? (
        <Button className="justify-self-center" busy={list.isFetchingNextPage} onClick={handleClick}>
          {list.isFetchingNextPage ? "Loading…" : "Show more"}
        </Button>
      ) : null}
    </>
  );
}
