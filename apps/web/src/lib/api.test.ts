import { beforeEach, describe, expect, it, vi } from "vitest";
import { failure, later, openTab, refusal, service, withLocks } from "./api.testing";

/** Lets every answer that has been given be read to its end. */
async function allRead(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe.each([
  ["with locks", withLocks],
  ["without locks", () => expect(navigator.locks).toBeUndefined()],
])("a tab of a browser %s", (_, prepare) => {
  beforeEach(() => void prepare());

  it("sends requests as they are while the token is good", async () => {
    service.expired = false;
    const { listSessions } = await openTab();
    expect((await listSessions()).data).toEqual({ items: [], next_cursor: null });
    expect(service.asked).toEqual(["GET /v1/sessions"]);
  });

  it("refreshes an expired token and sends the request again, method and body included", async () => {
    const { renameSession } = await openTab();
    service.onRequest = () => Response.json({ name: "Kitchen" });
    const { data } = await renameSession({ path: { session_id: "a" }, body: { name: "Kitchen" } });
    expect(data).toEqual({ name: "Kitchen" });
    expect(service.asked).toEqual(["PATCH /v1/sessions/a", "POST /v1/auth/refresh", "PATCH /v1/sessions/a"]);
    expect(service.bodies).toEqual(['{"name":"Kitchen"}', '{"name":"Kitchen"}']);
  });

  it("refreshes once for many requests at a time", async () => {
    const { listSessions, readMe, revokeSession } = await openTab();
    const refresh = later<Response>();
    service.onRefresh = () => refresh.promise;
    const requests = [
      listSessions(),
      readMe(),
      revokeSession({ path: { session_id: "a" } }),
      listSessions(),
      readMe(),
    ];
    await vi.waitFor(() => expect(service.asked).toHaveLength(6));
    const late = listSessions();
    await vi.waitFor(() => expect(service.asked).toHaveLength(7));
    await allRead();
    refresh.keep(service.refreshed());
    await Promise.all([...requests, late]);
    expect(service.count("POST /v1/auth/refresh")).toBe(1);
    expect(service.count("GET /v1/sessions")).toBe(6);
    expect(service.count("GET /v1/me")).toBe(4);
    expect(service.count("DELETE /v1/sessions/a")).toBe(2);
  });

  it("refreshes again when the next token has expired", async () => {
    const { listSessions } = await openTab();
    await listSessions();
    service.expired = true;
    await listSessions();
    expect(service.count("POST /v1/auth/refresh")).toBe(2);
  });

  it.each(["not_authenticated", "token_invalid", "session_revoked", "session_idle", "invalid_credentials"])(
    "does not refresh for %s",
    async (code) => {
      service.expired = false;
      service.onRequest = () => refusal(code);
      const { readMe } = await openTab();
      expect(await failure(readMe())).toMatchObject({ status: 401, code });
      expect(service.asked).toEqual(["GET /v1/me"]);
    },
  );

  it("does not refresh for what only looks like an expired token", async () => {
    service.expired = false;
    const { readMe } = await openTab();
    service.onRequest = () => refusal("token_expired", undefined, 403);
    expect(await failure(readMe())).toMatchObject({ status: 403 });
    for (const body of ["", "token_expired", "null", '"token_expired"', "<html>"]) {
      service.onRequest = () => new Response(body, { status: 401 });
      expect(await failure(readMe())).toMatchObject({ status: 401, code: null });
    }
    expect(service.count("POST /v1/auth/refresh")).toBe(0);
  });

  it("gives every caller the answer of a refresh that was refused, and sends nothing again", async () => {
    const { listSessions, readMe } = await openTab();
    service.onRefresh = () => refusal("session_revoked", "signed_out_elsewhere");
    const errors = await Promise.all([listSessions(), readMe(), listSessions()].map(failure));
    for (const error of errors) {
      expect(error).toMatchObject({ status: 401, code: "session_revoked", reason: "signed_out_elsewhere" });
    }
    expect(service.count("POST /v1/auth/refresh")).toBe(1);
    expect(service.asked).toHaveLength(4);
  });

  it("fails like any request when the refresh gets no answer, and tries anew with the next", async () => {
    const { listSessions } = await openTab();
    service.onRefresh = () => Promise.reject(new TypeError("fetch failed"));
    expect(await failure(listSessions())).toMatchObject({ name: "ApiError", status: 0 });
    service.onRefresh = () => service.refreshed();
    await listSessions();
    expect(service.count("POST /v1/auth/refresh")).toBe(2);
  });

  it("does not go round in circles when the token is expired even after a refresh", async () => {
    const { listSessions } = await openTab();
    service.onRefresh = () => Response.json({});
    expect(await failure(listSessions())).toMatchObject({ status: 401, code: "token_expired" });
    expect(service.asked).toEqual(["GET /v1/sessions", "POST /v1/auth/refresh", "GET /v1/sessions"]);
  });

  it("does not send again what its caller gave up meanwhile", async () => {
    const { listSessions } = await openTab();
    const refresh = later<Response>();
    service.onRefresh = () => refresh.promise;
    const controller = new AbortController();
    const error = failure(listSessions({ signal: controller.signal }));
    await vi.waitFor(() => expect(service.asked).toHaveLength(2));
    controller.abort();
    refresh.keep(service.refreshed());
    expect(await error).toMatchObject({ name: "AbortError" });
    expect(service.count("GET /v1/sessions")).toBe(1);
  });
});
