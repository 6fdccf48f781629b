import type { CreateClientConfig } from "@/client/client.gen";

/**
 * The one place that talks HTTP. Tokens travel in cookies that scripts cannot read; when the access token has
 * expired, it is refreshed silently, once for all requests and tabs, and the request is sent again.
 */
export const createClientConfig: CreateClientConfig = (config) => ({
  ...config,
  baseUrl: window.location.origin,
  credentials: "same-origin",
  fetch: fetchRefreshed as typeof fetch,
});

const REFRESH = "/v1/auth/refresh";
const ME = "/v1/me";
const LOCK = "gatepost.refresh";

async function fetchRefreshed(request: Request): Promise<Response> {
  const again = request.clone();
  const answer = await fetch(request);
  if (!(await saysExpired(answer))) return answer;
  const refreshed = await refreshOnce();
  return refreshed.ok ? fetch(again) : refreshed.clone();
}

let refreshing: Promise<Response> | null = null;

function refreshOnce(): Promise<Response> {
  refreshing ??= refreshAcrossTabs().finally(() => {
    refreshing = null;
  });
  return refreshing;
}

async function refreshAcrossTabs(): Promise<Response> {
  if (!navigator.locks) return refresh();
  const mine = await navigator.locks.request(LOCK, { ifAvailable: true }, (lock) =>
    lock ? refresh() : null,
  );
  return mine ?? navigator.locks.request(LOCK, refreshUnlessDone);
}

/** Another tab was at it. What it got is in the cookies that we share; where it got nothing, it is our turn. */
async function refreshUnlessDone(): Promise<Response> {
  const me = await fetch(ME);
  return (await saysExpired(me)) ? refresh() : new Response(null, { status: 204 });
}

function refresh(): Promise<Response> {
  return fetch(REFRESH, { method: "POST", credentials: "same-origin" });
}

async function saysExpired(answer: Response): Promise<boolean> {
  if (answer.status !== 401) return false;
  const body: unknown = await answer
    .clone()
    .json()
    .catch(() => null);
  return typeof body === "object" && body !== null && "code" in body && body.code === "token_expired";
}
