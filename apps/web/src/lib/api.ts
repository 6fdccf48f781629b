import type { CreateClientConfig } from "@/client/client.gen";

/**
 * The only place that sends HTTP requests. The tokens are in cookies that scripts cannot read. When the access token has
 * expired, it is refreshed once for all requests and all tabs, and the request is sent again.
 */
export const createClientConfig: CreateClientConfig = (config) => ({
  ...config,
  baseUrl: window.location.origin,
  credentials: "same-origin",
  fetch: fetchWithRefresh as typeof fetch,
});

const REFRESH = "/v1/auth/refresh";
const ME = "/v1/me";
const LOCK = "gatepost.refresh";

async function fetchWithRefresh(request: Request): Promise<Response> {
  const retry = request.clone();
  const response = await fetch(request);
  if (!(await isTokenExpired(response))) return response;
  const refreshed = await refreshOnce();
  return refreshed.ok ? fetch(retry) : refreshed.clone();
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
  const ours = await navigator.locks.request(LOCK, { ifAvailable: true }, (lock) =>
    lock ? refresh() : null,
  );
  return ours ?? navigator.locks.request(LOCK, refreshIfExpired);
}

/** Another tab has just refreshed the cookies that all tabs share. If it failed, this tab tries. */
async function refreshIfExpired(): Promise<Response> {
  const me = await fetch(ME);
  return (await isTokenExpired(me)) ? refresh() : new Response(null, { status: 204 });
}

function refresh(): Promise<Response> {
  return fetch(REFRESH, { method: "POST", credentials: "same-origin" });
}

async function isTokenExpired(response: Response): Promise<boolean> {
  if (response.status !== 401) return false;
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => null);
  return typeof body === "object" && body !== null && "code" in body && body.code === "token_expired";
}
