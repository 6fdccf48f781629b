/** Focuses the row of a list whose `data-row` is this id. Returns false when there is no such row. */
export function focusRow(list: HTMLElement | null, id: string | undefined): boolean {
  const row = id && list?.querySelector<HTMLElement>(`[data-row="${id}"]`);
  if (row) row.focus();
  return Boolean(row);
}

/** Returns the id of the row to focus after a row is removed: the next one, or else the one before it. */
export function neighbor(ids: string[], id: string): string | undefined {
  const index = ids.indexOf(id);
  return ids[index + 1] ?? ids[index - 1];
}
