/** Gives the focus to a row of a list, which has its id in `data-row`; false: it is not there. */
export function focusRow(list: HTMLElement | null, id: string | undefined): boolean {
  const row = id && list?.querySelector<HTMLElement>(`[data-row="${id}"]`);
  if (row) row.focus();
  return Boolean(row);
}

/** The row where one goes on when another goes away: the next one, or that before it. */
export function neighbour(ids: string[], id: string): string | undefined {
  const at = ids.indexOf(id);
  return ids[at + 1] ?? ids[at - 1];
}
