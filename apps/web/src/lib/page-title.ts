/** For a route's `head`: the title of the page in the browser's tab. */
export function pageTitle(title: string) {
  return { meta: [{ title: `${title} · Gatepost` }] };
}
