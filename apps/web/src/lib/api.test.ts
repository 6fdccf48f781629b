import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

/** A service with one session, as its answers and its cookies show it. Both tabs see the same cookies. */
class Service {
  /** What was asked, in order: "GET /v1/me". */
  readonly asked: string[] = [];
  readonly bodies: unknown[] = [];
  expired = true;
  /** What a refresh answers; by itself it works. */
  onRefresh: () => Promise<Response> | Response = () => this.refreshed();
  /** What all else answers once the token is good. */
  onRequest: (path: string) => Response = () => Response.json({ items: [], next_cursor: null });

  readonly fetch = async (target: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = target instanceof Request ? target : new Request(new URL(target, location.origin), init);
    request.signal.throwIfAborted();
    const path = new URL(request.url).pathname;
    this.asked.push(`${request.method} ${path}`);
    if (path === "/v1/auth/refresh") return this.onRefresh();
    this.bodies.push(await request.text());
    return this.expired ? refusal("token_expired") : this.onRequest(path);
  };

  refreshed(): Response {
    this.expired = false;
    return Response.json({ token_type: "bearer" });
  }

  count(what: string): number {
    return this.asked.filter((asked) => asked === what).length;
  }
}

function refusal(code: string, reason?: string, status = 401): Response {
  return Response.json({ code, reason, detail: `Refused: ${code}` }, { status });
}

type Waiting = {
  run: (lock: Lock | null) => unknown;
  settle: (value: unknown) => void;
  fail: (error: unknown) => void;
};

/** `navigator.locks` for one name after another: exclusive, first come first served, with `ifAvailable`. */
class Locks {
  private readonly held = new Set<string>();
  private readonly queues = new Map<string, Waiting[]>();

  request(
    name: string,
    ...rest: [LockOptions, LockGrantedCallback<unknown>] | [LockGrantedCallback<unknown>]
  ) {
    const [options, run] = rest.length === 2 ? rest : [{} as LockOptions, rest[0]];
    return new Promise((settle, fail) => {
      const waiting = { run, settle, fail } as Waiting;
      if (!this.held.has(name)) void this.grant(name, waiting);
      else if (options.ifAvailable) void this.call(waiting, null);
      else this.queues.set(name, [...(this.queues.get(name) ?? []), waiting]);
    });
  }

  /** How many wait for a lock. */
  waiting(name: string): number {
    return this.queues.get(name)?.length ?? 0;
  }

  private async grant(name: string, waiting: Waiting): Promise<void> {
    this.held.add(name);
    await this.call(waiting, { name, mode: "exclusive" });
    this.held.delete(name);
    const next = this.queues.get(name)?.shift();
    if (next) await this.grant(name, next);
  }

  private async call({ run, settle, fail }: Waiting, lock: Lock | null): Promise<void> {
    // The callback is never called before `request` has returned.
    await Promise.resolve();
    try {
      settle(await run(lock));
    } catch (error) {
      fail(error);
    }
  }
}

/** A page of ours, with its modules to itself. */
async function openTab() {
  vi.resetModules();
  const { client } = await import("@/client/client.gen");
  const { toApiError } = await import("@/lib/errors");
  client.interceptors.error.use(toApiError);
  return import("@/client/sdk.gen");
}

/** A promise to be kept later. */
function later<T>() {
  let keep: (value: T | Promise<T>) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    keep = resolve;
  });
  return { promise, keep };
}

const failure = (request: Promise<unknown>) =>
  request.then(
    () => expect.unreachable("the request did not fail"),
    (error: unknown) => error,
  );

/** Lets every answer that has been given be read to its end. */
async function allRead(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

let service: Service;

beforeEach(() => {
  service = new Service();
  vi.stubGlobal("fetch", service.fetch);
});

afterEach(() => {
  vi.unstubAllGlobals();
  Reflect.deleteProperty(navigator, "locks");
});

function withLocks(): Locks {
  const locks = new Locks();
  Object.defineProperty(navigator, "locks", { value: locks, configurable: true });
  return locks;
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
