import { onlineManager, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, Canceled } from "@/lib/errors";
import { createQueryClient } from "@/lib/query-client";

const SIGNED_OUT = new ApiError("This device was signed out.", { status: 401, code: "session_revoked" });
const WRONG_PASSWORD = new ApiError("Wrong.", { status: 401, code: "invalid_credentials" });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  onlineManager.setOnline(true);
});

/** Runs a query or a mutation that fails with these errors in turn, and then succeeds. */
async function run(kind: "query" | "mutation", ...errors: unknown[]) {
  const onSignedOut = vi.fn<(error: ApiError) => void>();
  const queryClient = createQueryClient(onSignedOut);
  const request = vi.fn(async () => {
    const error = errors.shift();
    if (error) throw error;
    return "success";
  });
  const outcome = (
    kind === "query"
      ? queryClient.fetchQuery({ queryKey: ["it"], queryFn: request })
      : queryClient.getMutationCache().build(queryClient, { mutationFn: request }).execute(undefined)
  ).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(60_000);
  return { outcome: await outcome, requests: request.mock.calls.length, onSignedOut };
}

describe("a query", () => {
  it.each([0, 500, 502, 503, 504])(
    "is retried when it failed with %i, which is temporary",
    async (status) => {
      const { outcome, requests } = await run(
        "query",
        new ApiError("", { status }),
        new ApiError("", { status }),
      );
      expect([outcome, requests]).toEqual(["success", 3]);
    },
  );

  it("is not retried after the third failure", async () => {
    const unavailable = new ApiError("Unavailable.", { status: 503 });
    const { outcome, requests } = await run("query", unavailable, unavailable, unavailable, unavailable);
    expect([outcome, requests]).toEqual([unavailable, 3]);
  });

  it.each([400, 401, 403, 404, 409, 422, 429])("is not retried when it failed with %i", async (status) => {
    const error = new ApiError("No.", { status });
    const { outcome, requests } = await run("query", error);
    expect([outcome, requests]).toEqual([error, 1]);
  });

  it("is not retried when our own code is at fault", async () => {
    const error = new TypeError("undefined is not a function");
    const { outcome, requests } = await run("query", error);
    expect([outcome, requests]).toEqual([error, 1]);
  });

  it("is not sent again while its answer is fresh", async () => {
    const queryClient = createQueryClient(() => {});
    const queryFn = vi.fn(async () => "success");
    const observe = () => new QueryObserver(queryClient, { queryKey: ["it"], queryFn }).subscribe(() => {});
    observe();
    await vi.advanceTimersByTimeAsync(9_999);
    observe();
    await vi.advanceTimersByTimeAsync(0);
    expect(queryFn).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    observe();
    await vi.advanceTimersByTimeAsync(0);
    expect(queryFn).toHaveBeenCalledTimes(2);
    queryClient.clear();
  });
});

describe("a mutation", () => {
  it.each([0, 503])("is never retried, not even after %i", async (status) => {
    const error = new ApiError("", { status });
    const { outcome, requests } = await run("mutation", error);
    expect([outcome, requests]).toEqual([error, 1]);
  });

  it("fails at once without a network", async () => {
    onlineManager.setOnline(false);
    const error = new ApiError("", { status: 0 });
    const { outcome, requests } = await run("mutation", error);
    expect([outcome, requests]).toEqual([error, 1]);
  });
});

describe.each(["query", "mutation"] as const)("a %s", (kind) => {
  it("calls onSignedOut once when the session has ended", async () => {
    const { outcome, onSignedOut } = await run(kind, SIGNED_OUT);
    expect(outcome).toBe(SIGNED_OUT);
    expect(onSignedOut.mock.calls).toEqual([[SIGNED_OUT]]);
  });

  it.each([
    WRONG_PASSWORD,
    new ApiError("Confirm your password first.", { status: 403, code: "reauthentication_required" }),
    new ApiError("Not found.", { status: 404 }),
    new Canceled(),
  ])("does not call onSignedOut for another error (%s)", async (error) => {
    const { outcome, onSignedOut } = await run(kind, error);
    expect(outcome).toBe(error);
    expect(onSignedOut).not.toHaveBeenCalled();
  });
});
