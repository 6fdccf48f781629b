import { afterEach } from "vitest";

type Pending = {
  run: (lock: Lock | null) => unknown;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
};

/** `navigator.locks` as far as we use it: exclusive locks, first come first served, and `ifAvailable`. */
export class FakeLocks {
  private readonly held = new Set<string>();
  private readonly queues = new Map<string, Pending[]>();

  request(
    name: string,
    ...rest: [LockOptions, LockGrantedCallback<unknown>] | [LockGrantedCallback<unknown>]
  ) {
    const [options, run] = rest.length === 2 ? rest : [{} as LockOptions, rest[0]];
    return new Promise((resolve, reject) => {
      const pending = { run, resolve, reject } as Pending;
      if (!this.held.has(name)) void this.grant(name, pending);
      else if (options.ifAvailable) void this.call(pending, null);
      else this.queues.set(name, [...(this.queues.get(name) ?? []), pending]);
    });
  }

  /** How many requests wait for a lock. */
  waiting(name: string): number {
    return this.queues.get(name)?.length ?? 0;
  }

  private async grant(name: string, pending: Pending): Promise<void> {
    this.held.add(name);
    await this.call(pending, { name, mode: "exclusive" });
    this.held.delete(name);
    const next = this.queues.get(name)?.shift();
    if (next) await this.grant(name, next);
  }

  private async call({ run, resolve, reject }: Pending, lock: Lock | null): Promise<void> {
    // The callback is never called before `request` has returned.
    await Promise.resolve();
    try {
      resolve(await run(lock));
    } catch (error) {
      reject(error);
    }
  }
}

/** Gives the browser locks, which jsdom has none of, for the test that runs. */
export function installLocks(): FakeLocks {
  const locks = new FakeLocks();
  Object.defineProperty(navigator, "locks", { value: locks, configurable: true });
  return locks;
}

afterEach(() => {
  Reflect.deleteProperty(navigator, "locks");
});
