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

async function fetchRefreshed(request: Request): Promise<Response> {
  const again = request.clone();
  const answer = await fetch(request);
  if (answer.status !== 401 || (await codeOf(answer)) !== "token_expired") return answer;
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
  const refresh = () => fetch(REFRESH, { method: "POST", credentials: "same-origin" });
  if (!navigator.locks) return refresh();
  const mine = await navigator.locks.request("gatepost.refresh", { ifAvailable: true }, (lock) =>
    lock ? refresh() : null,
  );
  // Another tab was at it: what it got is in the cookies that we share.
  return mine ?? navigator.locks.request("gatepost.refresh", () => new Response(null, { status: 204 }));
}

async function codeOf(answer: Response): Promise<unknown> {
  const body: unknown = await answer
    .clone()
    .json()
    .catch(() => null);
  return typeof body === "object" && body !== null && "code" in body ? body.code : null;
}
