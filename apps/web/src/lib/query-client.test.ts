import { onlineManager, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, Cancelled } from "@/lib/errors";
import { createQueries } from "@/lib/query-client";

const OVER = new ApiError("This device was signed out.", { status: 401, code: "session_revoked" });
const WRONG = new ApiError("That is wrong.", { status: 401, code: "invalid_credentials" });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  onlineManager.setOnline(true);
});

/** Runs a query or a mutation that answers with these errors in turn, and then well. */
async function run(kind: "query" | "mutation", ...errors: unknown[]) {
  const onSignedOut = vi.fn<(error: ApiError) => void>();
  const queries = createQueries(onSignedOut);
  const ask = vi.fn(async () => {
    const error = errors.shift();
    if (error) throw error;
    return "well";
  });
  const outcome = (
    kind === "query"
      ? queries.fetchQuery({ queryKey: ["it"], queryFn: ask })
      : queries.getMutationCache().build(queries, { mutationFn: ask }).execute(undefined)
  ).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(60_000);
  return { outcome: await outcome, asked: ask.mock.calls.length, onSignedOut };
}

describe("a query", () => {
  it.each([0, 500, 502, 503, 504])(
    "is asked again when it failed with %i, which may pass",
    async (status) => {
      const { outcome, asked } = await run(
        "query",
        new ApiError("", { status }),
        new ApiError("", { status }),
      );
      expect([outcome, asked]).toEqual(["well", 3]);
    },
  );

  it("is given up after the third failure", async () => {
    const away = new ApiError("Away.", { status: 503 });
    const { outcome, asked } = await run("query", away, away, away, away);
    expect([outcome, asked]).toEqual([away, 3]);
  });

  it.each([400, 401, 403, 404, 409, 422, 429])(
    "is not asked again when it failed with %i",
    async (status) => {
      const error = new ApiError("No.", { status });
      const { outcome, asked } = await run("query", error);
      expect([outcome, asked]).toEqual([error, 1]);
    },
  );

  it("is not asked again when our own code is at fault", async () => {
    const error = new TypeError("undefined is not a function");
    const { outcome, asked } = await run("query", error);
    expect([outcome, asked]).toEqual([error, 1]);
  });

  it("is not asked again while what it said is fresh", async () => {
    const queries = createQueries(() => {});
    const queryFn = vi.fn(async () => "well");
    const look = () => new QueryObserver(queries, { queryKey: ["it"], queryFn }).subscribe(() => {});
    look();
    await vi.advanceTimersByTimeAsync(9_999);
    look();
    await vi.advanceTimersByTimeAsync(0);
    expect(queryFn).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    look();
    await vi.advanceTimersByTimeAsync(0);
    expect(queryFn).toHaveBeenCalledTimes(2);
    queries.clear();
  });
});

describe("a mutation", () => {
  it.each([0, 503])("is never sent again by itself, not even after %i", async (status) => {
    const error = new ApiError("", { status });
    const { outcome, asked } = await run("mutation", error);
    expect([outcome, asked]).toEqual([error, 1]);
  });

  it("fails at once without a network, and does not wait for it", async () => {
    onlineManager.setOnline(false);
    const error = new ApiError("", { status: 0 });
    const { outcome, asked } = await run("mutation", error);
    expect([outcome, asked]).toEqual([error, 1]);
  });
});

describe.each(["query", "mutation"] as const)("a %s", (kind) => {
  it("tells, once, that the session is over", async () => {
    const { outcome, onSignedOut } = await run(kind, OVER);
    expect(outcome).toBe(OVER);
    expect(onSignedOut.mock.calls).toEqual([[OVER]]);
  });

  it.each([
    WRONG,
    new ApiError("Confirm your password first.", { status: 403, code: "reauthentication_required" }),
    new ApiError("There is nothing here.", { status: 404 }),
    new Cancelled(),
  ])("does not tell so for another failure (%s)", async (error) => {
    const { outcome, onSignedOut } = await run(kind, error);
    expect(outcome).toBe(error);
    expect(onSignedOut).not.toHaveBeenCalled();
  });
});
