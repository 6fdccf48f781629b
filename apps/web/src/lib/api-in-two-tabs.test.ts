import { beforeEach, describe, expect, it, vi } from "vitest";
import { failure, type Locks, later, openTab, refusal, service, withLocks } from "./api.testing";

describe("two tabs", () => {
  let locks: Locks;
  beforeEach(() => {
    locks = withLocks();
  });

  /** Both tabs have learnt that the token has expired; the first is refreshing, the second knows. */
  async function refreshInBoth() {
    const [one, other] = [await openTab(), await openTab()];
    const refresh = later<Response>();
    service.onRefresh = () => refresh.promise;
    const first = one.listSessions();
    await vi.waitFor(() => expect(service.count("POST /v1/auth/refresh")).toBe(1));
    const second = other.listSessions();
    await vi.waitFor(() => expect(locks.waiting("gatepost.refresh")).toBe(1));
    return { one, other, first, second, refresh };
  }

  it("refresh once between them", async () => {
    const { one, other, first, second, refresh } = await refreshInBoth();
    expect(one).not.toBe(other);
    refresh.keep(service.refreshed());
    expect((await first).data).toEqual((await second).data);
    expect(service.count("POST /v1/auth/refresh")).toBe(1);
    expect(service.count("GET /v1/sessions")).toBe(4);
  });

  it("both learn why their session has ended", async () => {
    const { first, second, refresh } = await refreshInBoth();
    service.onRefresh = () => refusal("session_revoked", "password_changed");
    const errors = Promise.all([failure(first), failure(second)]);
    refresh.keep(refusal("session_revoked", "password_changed"));
    const ended = { code: "session_revoked", reason: "password_changed" };
    expect(await errors).toMatchObject([ended, ended]);
  });

  it("do not both fail when only the first could not refresh", async () => {
    const { first, second, refresh } = await refreshInBoth();
    service.onRefresh = () => service.refreshed();
    const error = failure(first);
    refresh.keep(refusal("service_unavailable", undefined, 503));
    expect(await error).toMatchObject({ status: 503 });
    expect((await second).data).toEqual({ items: [], next_cursor: null });
  });

  it("fail with what passes, not with a session that is over, while the service is away", async () => {
    const { first, second, refresh } = await refreshInBoth();
    service.onRefresh = () => refusal("service_unavailable", undefined, 503);
    const errors = Promise.all([failure(first), failure(second)]);
    refresh.keep(refusal("service_unavailable", undefined, 503));
    expect(await errors).toMatchObject([{ status: 503 }, { status: 503 }]);
    expect(service.count("POST /v1/auth/refresh")).toBe(2);
  });

  it("go on after one of them could not be reached", async () => {
    const { first, second, refresh } = await refreshInBoth();
    service.onRefresh = () => service.refreshed();
    const error = failure(first);
    refresh.keep(Promise.reject(new TypeError("fetch failed")));
    expect(await error).toMatchObject({ status: 0 });
    await second;
    expect(service.count("POST /v1/auth/refresh")).toBe(2);
  });
});
