import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { client } from "@/client/client.gen";
import { readMe } from "@/client/sdk.gen";
import { ApiError, Canceled, getErrorMessage, isSignedOut, toApiError } from "@/lib/errors";

const UNREACHABLE = "The service cannot be reached. Check your connection.";

const problem = {
  type: "urn:gatepost:problem:validation_failed",
  title: "Validation failed",
  status: 422,
  code: "validation_failed",
  detail: "Invalid request.",
  request_id: "from-the-body",
};

beforeAll(() => {
  client.interceptors.error.use(toApiError);
});

afterEach(() => vi.unstubAllGlobals());

/** Returns what the generated client throws. */
async function thrown(network: () => Promise<Response>, signal?: AbortSignal): Promise<unknown> {
  vi.stubGlobal("fetch", network);
  return readMe({ signal }).then(
    () => expect.unreachable("the request did not fail"),
    (error: unknown) => error,
  );
}

async function failed(body: unknown, init: ResponseInit = { status: 500 }): Promise<ApiError> {
  const sent = typeof body === "string" ? body : JSON.stringify(body);
  const error = await thrown(async () => new Response(sent, init));
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
}

describe("the message of an error", () => {
  it.each<[string, unknown, string]>([
    ["a problem's detail", problem, "Invalid request."],
    [
      "the messages of the fields, when the problem lists them",
      {
        ...problem,
        errors: [
          { loc: ["body", "email"], msg: "Enter a valid email address.", type: "value_error" },
          { loc: ["body", "password"], msg: "At least 8 characters.", type: "string_too_short" },
        ],
      },
      "Enter a valid email address. At least 8 characters.",
    ],
    ["the detail of a problem whose list is empty", { ...problem, errors: [] }, problem.detail],
    ["the title of a problem without a detail", { title: "Not found", status: 404 }, "Not found"],
    ["a detail that is a string", { detail: "Not Found" }, "Not Found"],
    [
      "a detail that is FastAPI's list",
      { detail: [{ loc: ["query", "limit"], msg: "Input should be at most 100", type: "less_than_equal" }] },
      "Input should be at most 100",
    ],
    [
      "the message of a detail that is an object",
      { detail: { message: "The plan has run out.", code: "payment_required" } },
      "The plan has run out.",
    ],
    [
      "a bare message",
      { message: "no Route matched with those values" },
      "no Route matched with those values",
    ],
    ["plain text", "Internal Server Error", "Internal Server Error"],
    ["plain text, trimmed", "\n  Bad gateway\r\n", "Bad gateway"],
    ["a JSON string", '"Slow down"', "Slow down"],
    ["the status instead of a long text", "x".repeat(400), "The request failed (500)."],
    [
      "the status instead of a proxy's page",
      "\n<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>",
      "The request failed (500).",
    ],
    ["the status for an empty body", "", "The request failed (500)."],
    ["the status for blanks", " \n ", "The request failed (500)."],
    ["the status for {}", {}, "The request failed (500)."],
    ["the status for []", [], "The request failed (500)."],
    ["the status for null", "null", "The request failed (500)."],
    ["the status for a number", "500", "The request failed (500)."],
    ["the status for JSON that was cut off", '{"detail": "The requ', "The request failed (500)."],
    ["the status for an empty detail", { detail: null }, "The request failed (500)."],
    ["the status for a list without messages", { detail: [null, 7, {}] }, "The request failed (500)."],
    ["the status for a blank detail", { detail: "  " }, "The request failed (500)."],
  ])("is %s", async (_, body, message) => {
    const error = await failed(body);
    expect(error.message).toBe(message);
    expect(getErrorMessage(error)).toBe(message);
    expect(error.status).toBe(500);
  });
});

describe("an error", () => {
  it("has the code, and why the session ended", async () => {
    const body = { ...problem, status: 401, code: "session_revoked", reason: "evicted" };
    expect(await failed(body, { status: 401 })).toMatchObject({
      status: 401,
      code: "session_revoked",
      reason: "evicted",
    });
  });

  it("has the code of a detail that is an object", async () => {
    expect((await failed({ detail: { message: "No.", code: "quota" } })).code).toBe("quota");
  });

  it("has no code and no reason when none were sent, or no strings", async () => {
    expect(await failed({ code: 7, reason: {} })).toMatchObject({ code: null, reason: null });
    expect(await failed("Bad gateway")).toMatchObject({ code: null, reason: null });
  });

  it.each(["errors", "detail"])("has the first message for each field in %s", async (list) => {
    const issues = [
      { loc: ["body", "email"], msg: "first", type: "a" },
      { loc: ["body", "email"], msg: "second", type: "b" },
      { loc: ["body", "devices", 0, "name"], msg: "deep", type: "c" },
      { loc: ["query", "limit"], msg: "too many", type: "d" },
      { loc: ["body"], msg: "of the whole body", type: "e" },
      { loc: "body", msg: "no list", type: "f" },
      { loc: ["body", "silent"], type: "g" },
    ];
    expect((await failed({ ...problem, [list]: issues }, { status: 422 })).fields).toEqual({
      email: "first",
      "devices.0.name": "deep",
      limit: "too many",
    });
  });

  it("has no fields when no list was sent", async () => {
    expect((await failed(problem, { status: 422 })).fields).toEqual({});
  });

  it("has the list as it was sent, when it is not about fields: a template's diagnostics", async () => {
    const found = [
      {
        part: "html",
        line: 2,
        column: 5,
        severity: "error",
        rule: "unknown-variable",
        msg: "No such variable.",
      },
      { part: "text", line: 1, column: 1, severity: "warning", rule: "long-line", msg: "Long." },
    ];
    const body = { ...problem, code: "template_invalid", errors: [...found, null, "odd"] };
    expect(await failed(body, { status: 422 })).toMatchObject({ issues: found, fields: {} });
  });

  it("has an empty list when none was sent", async () => {
    expect((await failed(problem)).issues).toEqual([]);
    expect((await failed("<html>")).issues).toEqual([]);
  });

  it("has the seconds to wait", async () => {
    expect((await failed(problem, { status: 429, headers: { "Retry-After": "12" } })).retryAfter).toBe(12);
    expect((await failed(problem, { status: 503, headers: { "Retry-After": "0" } })).retryAfter).toBe(0);
  });

  it("does not have the seconds to wait when they are not a number", async () => {
    expect((await failed(problem, { status: 429 })).retryAfter).toBeNull();
    for (const value of ["soon", "-3", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT"]) {
      expect(
        (await failed(problem, { status: 503, headers: { "Retry-After": value } })).retryAfter,
      ).toBeNull();
    }
  });

  it("has the request id from the header, or else from the body", async () => {
    const headers = { "X-Request-ID": "from-the-header" };
    expect((await failed(problem, { status: 500, headers })).requestId).toBe("from-the-header");
    expect((await failed(problem)).requestId).toBe("from-the-body");
    expect((await failed("<html>")).requestId).toBeNull();
  });
});

describe("a request that got no answer", () => {
  it("fails with status 0 and says that the service cannot be reached", async () => {
    const error = await thrown(() => Promise.reject(new TypeError("fetch failed")));
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 0, code: null, requestId: null, message: UNREACHABLE });
  });

  it("fails in the same way after a timeout", async () => {
    const limit = AbortSignal.timeout(1);
    await new Promise((resolve) => limit.addEventListener("abort", resolve));
    const error = await thrown(() => Promise.reject(limit.reason));
    expect(error).toMatchObject({ name: "ApiError", status: 0, message: UNREACHABLE });
  });

  it("passes an AbortError on when the caller aborted", async () => {
    const controller = new AbortController();
    controller.abort();
    const error = await thrown(() => Promise.reject(controller.signal.reason), controller.signal);
    expect(error).toBe(controller.signal.reason);
    expect(error).toMatchObject({ name: "AbortError" });
  });
});

describe("getErrorMessage", () => {
  it("returns the message of any Error", () => {
    expect(getErrorMessage(new Error("The file is empty."))).toBe("The file is empty.");
  });

  it.each<[unknown, string]>([
    ["Only text", "Only text"],
    [{ detail: "In an object" }, "In an object"],
    [{ message: "In a message" }, "In a message"],
  ])("finds the message in %j", (error, message) => expect(getErrorMessage(error)).toBe(message));

  it.each([undefined, null, 0, {}, [], "", new Error(), new Canceled()])(
    "returns a sentence even for %o",
    (error) => expect(getErrorMessage(error)).toMatch(/^[A-Z].*\.$/),
  );
});

describe("isSignedOut", () => {
  it.each([
    "not_authenticated",
    "token_invalid",
    "token_expired",
    "session_revoked",
    "session_expired",
    "session_idle",
    "refresh_token_reused",
  ])("holds for 401 %s", async (code) => {
    expect(isSignedOut(await failed({ ...problem, code }, { status: 401 }))).toBe(true);
  });

  it("holds for a 401 without a code", async () => {
    expect(isSignedOut(await failed("Unauthorized", { status: 401 }))).toBe(true);
  });

  it("does not hold for a wrong password", async () => {
    expect(isSignedOut(await failed({ ...problem, code: "invalid_credentials" }, { status: 401 }))).toBe(
      false,
    );
  });

  it.each([403, 404, 429, 500, 503])("does not hold for %i, whatever its code", async (status) => {
    expect(isSignedOut(await failed({ ...problem, code: "session_revoked" }, { status }))).toBe(false);
  });

  it("does not hold for anything else", () => {
    expect(isSignedOut({ status: 401, code: "session_revoked" })).toBe(false);
    expect(isSignedOut(new Error("401"))).toBe(false);
    expect(isSignedOut(null)).toBe(false);
  });
});
