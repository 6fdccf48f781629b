import { beforeEach, describe, expect, it, vi } from "vitest";
import { type FakeLocks, installLocks } from "@/testing/fake-locks";
import { failWith, json, noContent, problem, service, unreachable } from "@/testing/fake-service";

const REFRESH = "POST /v1/auth/refresh";
const LIST = "GET /v1/sessions";
const ME = "GET /v1/me";
const EMPTY = { items: [], next_cursor: null };

beforeEach(() => {
  service.tokenExpired = true;
  service.answer(LIST, json(EMPTY));
  service.answer(ME, json({}));
  service.answer("DELETE /v1/sessions/a", noContent);
});

/** Opens a tab: the client, with its modules to itself. */
async function openTab() {
  vi.resetModules();
  const { client } = await import("@/client/client.gen");
  const { toApiError } = await import("@/lib/errors");
  client.interceptors.error.use(toApiError);
  return import("@/client/sdk.gen");
}

const errorOf = (request: Promise<unknown>) =>
  request.then(
    () => expect.unreachable("the request did not fail"),
    (error: unknown) => error,
  );

/** Lets every answer that has been given be read to its end. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const sessionRevoked = (reason: string) => problem(401, "session_revoked", { reason });

describe.each([
  ["with locks", () => void installLocks()],
  ["without locks", () => expect(navigator.locks).toBeUndefined()],
])("a tab of a browser %s", (_, prepare) => {
  beforeEach(prepare);

  it("sends requests as they are while the token is valid", async () => {
    service.tokenExpired = false;
    const { listSessions } = await openTab();
    expect((await listSessions()).data).toEqual(EMPTY);
    expect(service.requests).toEqual([LIST]);
  });

  it("refreshes an expired token and sends the request again, with its method and body", async () => {
    const { renameSession } = await openTab();
    service.answer("PATCH /v1/sessions/a", json({ name: "Kitchen" }));
    const { data } = await renameSession({ path: { session_id: "a" }, body: { name: "Kitchen" } });
    expect(data).toEqual({ name: "Kitchen" });
    expect(service.requests).toEqual(["PATCH /v1/sessions/a", REFRESH, "PATCH /v1/sessions/a"]);
    expect(service.bodies).toEqual([{ name: "Kitchen" }, null, { name: "Kitchen" }]);
  });

  it("refreshes once for many requests at a time", async () => {
    const { listSessions, readMe, revokeSession } = await openTab();
    const release = service.hold(REFRESH);
    const requests = [
      listSessions(),
      readMe(),
      revokeSession({ path: { session_id: "a" } }),
      listSessions(),
      readMe(),
    ];
    await vi.waitFor(() => expect(service.requests).toHaveLength(6));
    const late = listSessions();
    await vi.waitFor(() => expect(service.requests).toHaveLength(7));
    await settle();
    release(service.refresh());
    await Promise.all([...requests, late]);
    expect(service.count(REFRESH)).toBe(1);
    expect(service.count(LIST)).toBe(6);
    expect(service.count(ME)).toBe(4);
    expect(service.count("DELETE /v1/sessions/a")).toBe(2);
  });

  it("refreshes again when the next token has expired", async () => {
    const { listSessions } = await openTab();
    await listSessions();
    service.tokenExpired = true;
    await listSessions();
    expect(service.count(REFRESH)).toBe(2);
  });

  it.each(["not_authenticated", "token_invalid", "session_revoked", "session_idle", "invalid_credentials"])(
    "does not refresh for %s",
    async (code) => {
      service.tokenExpired = false;
      service.answer(ME, failWith(401, code));
      const { readMe } = await openTab();
      expect(await errorOf(readMe())).toMatchObject({ status: 401, code });
      expect(service.requests).toEqual([ME]);
    },
  );

  it("does not refresh for what only looks like an expired token", async () => {
    service.tokenExpired = false;
    const { readMe } = await openTab();
    service.answer(ME, failWith(403, "token_expired"));
    expect(await errorOf(readMe())).toMatchObject({ status: 403 });
    for (const body of ["", "token_expired", "null", '"token_expired"', "<html>"]) {
      service.answer(ME, () => new Response(body, { status: 401 }));
      expect(await errorOf(readMe())).toMatchObject({ status: 401, code: null });
    }
    expect(service.count(REFRESH)).toBe(0);
  });

  it("gives every caller the error of a refresh that failed, and sends nothing again", async () => {
    const { listSessions, readMe } = await openTab();
    service.answer(REFRESH, () => sessionRevoked("signed_out_elsewhere"));
    const errors = await Promise.all([listSessions(), readMe(), listSessions()].map(errorOf));
    for (const error of errors) {
      expect(error).toMatchObject({ status: 401, code: "session_revoked", reason: "signed_out_elsewhere" });
    }
    expect(service.count(REFRESH)).toBe(1);
    expect(service.requests).toHaveLength(4);
  });

  it("fails like any request when the refresh gets no answer, and tries again with the next", async () => {
    const { listSessions } = await openTab();
    service.answerOnce(REFRESH, unreachable);
    expect(await errorOf(listSessions())).toMatchObject({ name: "ApiError", status: 0 });
    await listSessions();
    expect(service.count(REFRESH)).toBe(2);
  });

  it("does not loop when the token is expired even after a refresh", async () => {
    const { listSessions } = await openTab();
    service.answer(REFRESH, json({}));
    expect(await errorOf(listSessions())).toMatchObject({ status: 401, code: "token_expired" });
    expect(service.requests).toEqual([LIST, REFRESH, LIST]);
  });

  it("does not send a request again that its caller has aborted", async () => {
    const { listSessions } = await openTab();
    const release = service.hold(REFRESH);
    const controller = new AbortController();
    const error = errorOf(listSessions({ signal: controller.signal }));
    await vi.waitFor(() => expect(service.requests).toHaveLength(2));
    controller.abort();
    release(service.refresh());
    expect(await error).toMatchObject({ name: "AbortError" });
    expect(service.count(LIST)).toBe(1);
  });
});

describe("two tabs", () => {
  let locks: FakeLocks;
  beforeEach(() => {
    locks = installLocks();
  });

  /** Both tabs have learned that the token has expired; the first one is refreshing it, the second one waits. */
  async function refreshInBoth() {
    const [one, other] = [await openTab(), await openTab()];
    expect(one).not.toBe(other);
    const release = service.hold(REFRESH);
    const first = one.listSessions();
    await vi.waitFor(() => expect(service.count(REFRESH)).toBe(1));
    const second = other.listSessions();
    await vi.waitFor(() => expect(locks.waiting("gatepost.refresh")).toBe(1));
    return { first, second, release };
  }

  it("refresh once between them", async () => {
    const { first, second, release } = await refreshInBoth();
    release(service.refresh());
    expect((await first).data).toEqual((await second).data);
    expect(service.count(REFRESH)).toBe(1);
    expect(service.count(LIST)).toBe(4);
  });

  it("both learn why their session has ended", async () => {
    const { first, second, release } = await refreshInBoth();
    service.answer(REFRESH, () => sessionRevoked("password_changed"));
    const errors = Promise.all([errorOf(first), errorOf(second)]);
    release(sessionRevoked("password_changed"));
    const ended = { code: "session_revoked", reason: "password_changed" };
    expect(await errors).toMatchObject([ended, ended]);
  });

  it("do not both fail when only the first could not refresh", async () => {
    const { first, second, release } = await refreshInBoth();
    const error = errorOf(first);
    release(problem(503, "service_unavailable"));
    expect(await error).toMatchObject({ status: 503 });
    expect((await second).data).toEqual(EMPTY);
  });

  it("fail with a temporary error, not as signed out, while the service is away", async () => {
    const { first, second, release } = await refreshInBoth();
    service.answer(REFRESH, failWith(503, "service_unavailable"));
    const errors = Promise.all([errorOf(first), errorOf(second)]);
    release(problem(503, "service_unavailable"));
    expect(await errors).toMatchObject([{ status: 503 }, { status: 503 }]);
    expect(service.count(REFRESH)).toBe(2);
  });

  it("go on after one of them could not reach the service", async () => {
    const { first, second, release } = await refreshInBoth();
    const error = errorOf(first);
    release(unreachable());
    expect(await error).toMatchObject({ status: 0 });
    await second;
    expect(service.count(REFRESH)).toBe(2);
  });
});
