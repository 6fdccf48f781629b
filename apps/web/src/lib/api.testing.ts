import { afterEach, beforeEach, expect, vi } from "vitest";

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

export function refusal(code: string, reason?: string, status = 401): Response {
  return Response.json({ code, reason, detail: `Refused: ${code}` }, { status });
}

type Waiting = {
  run: (lock: Lock | null) => unknown;
  settle: (value: unknown) => void;
  fail: (error: unknown) => void;
};

/** `navigator.locks` for one name after another: exclusive, first come first served, with `ifAvailable`. */
export class Locks {
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
export async function openTab() {
  vi.resetModules();
  const { client } = await import("@/client/client.gen");
  const { toApiError } = await import("@/lib/errors");
  client.interceptors.error.use(toApiError);
  return import("@/client/sdk.gen");
}

/** A promise to be kept later. */
export function later<T>() {
  let keep: (value: T | Promise<T>) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    keep = resolve;
  });
  return { promise, keep };
}

export const failure = (request: Promise<unknown>) =>
  request.then(
    () => expect.unreachable("the request did not fail"),
    (error: unknown) => error,
  );

export let service: Service;

beforeEach(() => {
  service = new Service();
  vi.stubGlobal("fetch", service.fetch);
});

afterEach(() => {
  vi.unstubAllGlobals();
  Reflect.deleteProperty(navigator, "locks");
});

export function withLocks(): Locks {
  const locks = new Locks();
  Object.defineProperty(navigator, "locks", { value: locks, configurable: true });
  return locks;
}
