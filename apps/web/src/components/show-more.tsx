import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import { type RefObject, useEffect, useRef } from "react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { getErrorMessage } from "@/lib/errors";

interface ShowMoreProps {
  list: UseInfiniteQueryResult;
  /** How many rows are shown. */
  shown: number;
  /** What holds the rows; each has one `data-row`. */
  rows: RefObject<HTMLElement | null>;
}

/** Asks for the next page of a list. Whoever works by keyboard goes on at the first row of what came. */
export function ShowMore({ list, shown, rows }: ShowMoreProps) {
  const goOnAt = useRef<number | null>(null);
  useEffect(() => {
    if (goOnAt.current === null || goOnAt.current >= shown) return;
    rows.current?.querySelectorAll<HTMLElement>("[data-row]")[goOnAt.current]?.focus();
    goOnAt.current = null;
  }, [shown, rows]);
  const handleClick = () => {
    goOnAt.current = shown;
    void list.fetchNextPage();
  };
  return (
    <>
      {list.isFetchNextPageError ? (
        <Alert tone="danger">No more could be loaded. {getErrorMessage(list.error)}</Alert>
      ) : null}
      {list.hasNextPage ? (
        <Button className="justify-self-center" busy={list.isFetchingNextPage} onClick={handleClick}>
          {list.isFetchingNextPage ? "Loading…" : "Show more"}
        </Button>
      ) : null}
    </>
  );
}
