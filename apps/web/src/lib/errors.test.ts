import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { client } from "@/client/client.gen";
import { readMe } from "@/client/sdk.gen";
import { ApiError, Cancelled, getErrorMessage, isSignedOut, toApiError } from "@/lib/errors";

const UNREACHABLE = "The service cannot be reached. Check your connection.";

const problem = {
  type: "urn:gatepost:problem:validation_failed",
  title: "Validation failed",
  status: 422,
  code: "validation_failed",
  detail: "The request is not of the form that this address takes.",
  request_id: "from-the-body",
};

beforeAll(() => {
  client.interceptors.error.use(toApiError);
});

afterEach(() => vi.unstubAllGlobals());

/** What a caller of the generated client gets to catch. */
async function thrown(network: () => Promise<Response>, signal?: AbortSignal): Promise<unknown> {
  vi.stubGlobal("fetch", network);
  return readMe({ signal }).then(
    () => expect.unreachable("the request did not fail"),
    (error: unknown) => error,
  );
}

async function refused(body: unknown, init: ResponseInit = { status: 500 }): Promise<ApiError> {
  const sent = typeof body === "string" ? body : JSON.stringify(body);
  const error = await thrown(async () => new Response(sent, init));
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
}

describe("what is said about a refusal", () => {
  it.each<[string, unknown, string]>([
    ["a problem's detail", problem, "The request is not of the form that this address takes."],
    [
      "what is wrong with each field, where the problem lists it",
      {
        ...problem,
        errors: [
          { loc: ["body", "email"], msg: "That is not an e-mail address.", type: "value_error" },
          { loc: ["body", "password"], msg: "At least 8 characters.", type: "string_too_short" },
        ],
      },
      "That is not an e-mail address. At least 8 characters.",
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
    ["plain text without its margins", "\n  Bad gateway\r\n", "Bad gateway"],
    ["a JSON string", '"Slow down"', "Slow down"],
    ["the status in place of a long text", "x".repeat(400), "The request failed (500)."],
    [
      "the status in place of a proxy's page",
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
    ["the status for a detail that says nothing", { detail: null }, "The request failed (500)."],
    ["the status for a list that says nothing", { detail: [null, 7, {}] }, "The request failed (500)."],
    ["the status for a blank detail", { detail: "  " }, "The request failed (500)."],
  ])("is %s", async (_, body, message) => {
    const error = await refused(body);
    expect(error.message).toBe(message);
    expect(getErrorMessage(error)).toBe(message);
    expect(error.status).toBe(500);
  });
});

describe("what a refusal carries", () => {
  it("is the contract's code and why the session ended", async () => {
    const body = { ...problem, status: 401, code: "session_revoked", reason: "evicted" };
    expect(await refused(body, { status: 401 })).toMatchObject({
      status: 401,
      code: "session_revoked",
      reason: "evicted",
    });
  });

  it("is the code of a detail that is an object", async () => {
    expect((await refused({ detail: { message: "No.", code: "quota" } })).code).toBe("quota");
  });

  it("is no code and no reason where none were sent, or no strings", async () => {
    expect(await refused({ code: 7, reason: {} })).toMatchObject({ code: null, reason: null });
    expect(await refused("Bad gateway")).toMatchObject({ code: null, reason: null });
  });

  it.each(["errors", "detail"])("is the first message for each field named in %s", async (list) => {
    const said = [
      { loc: ["body", "email"], msg: "first", type: "a" },
      { loc: ["body", "email"], msg: "second", type: "b" },
      { loc: ["body", "devices", 0, "name"], msg: "deep", type: "c" },
      { loc: ["query", "limit"], msg: "too many", type: "d" },
      { loc: ["body"], msg: "of the whole body", type: "e" },
      { loc: "body", msg: "no list", type: "f" },
      { loc: ["body", "silent"], type: "g" },
    ];
    expect((await refused({ ...problem, [list]: said }, { status: 422 })).fields).toEqual({
      email: "first",
      "devices.0.name": "deep",
      limit: "too many",
    });
  });

  it("is no field where no list was sent", async () => {
    expect((await refused(problem, { status: 422 })).fields).toEqual({});
  });

  it("is the list as it was sent, where it tells of no fields: a template's diagnostics", async () => {
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
    expect(await refused(body, { status: 422 })).toMatchObject({ issues: found, fields: {} });
  });

  it("is an empty list where none was sent", async () => {
    expect((await refused(problem)).issues).toEqual([]);
    expect((await refused("<html>")).issues).toEqual([]);
  });

  it("is when to come back, in seconds", async () => {
    expect((await refused(problem, { status: 429, headers: { "Retry-After": "12" } })).retryAfter).toBe(12);
    expect((await refused(problem, { status: 503, headers: { "Retry-After": "0" } })).retryAfter).toBe(0);
  });

  it("is not when to come back where that is not a number of seconds", async () => {
    expect((await refused(problem, { status: 429 })).retryAfter).toBeNull();
    for (const said of ["soon", "-3", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT"]) {
      expect(
        (await refused(problem, { status: 503, headers: { "Retry-After": said } })).retryAfter,
      ).toBeNull();
    }
  });

  it("is the request's id from the header, else from the body, else none", async () => {
    const headers = { "X-Request-ID": "from-the-header" };
    expect((await refused(problem, { status: 500, headers })).requestId).toBe("from-the-header");
    expect((await refused(problem)).requestId).toBe("from-the-body");
    expect((await refused("<html>")).requestId).toBeNull();
  });
});

describe("a request that got no answer", () => {
  it("fails with status 0 and says that the service cannot be reached", async () => {
    const error = await thrown(() => Promise.reject(new TypeError("fetch failed")));
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 0, code: null, requestId: null, message: UNREACHABLE });
  });

  it("fails in the same way when a time limit ended it", async () => {
    const limit = AbortSignal.timeout(1);
    await new Promise((resolve) => limit.addEventListener("abort", resolve));
    const error = await thrown(() => Promise.reject(limit.reason));
    expect(error).toMatchObject({ name: "ApiError", status: 0, message: UNREACHABLE });
  });

  it("passes the AbortError on as it is when the caller gave up", async () => {
    const controller = new AbortController();
    controller.abort();
    const error = await thrown(() => Promise.reject(controller.signal.reason), controller.signal);
    expect(error).toBe(controller.signal.reason);
    expect(error).toMatchObject({ name: "AbortError" });
  });
});

describe("getErrorMessage", () => {
  it("says what any Error says", () => {
    expect(getErrorMessage(new Error("The file is empty."))).toBe("The file is empty.");
  });

  it.each<[unknown, string]>([
    ["Only words", "Only words"],
    [{ detail: "In an object" }, "In an object"],
    [{ message: "In a message" }, "In a message"],
  ])("finds the sentence in %j", (error, message) => expect(getErrorMessage(error)).toBe(message));

  it.each([undefined, null, 0, {}, [], "", new Error(), new Cancelled()])(
    "has a sentence even for %o",
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
    expect(isSignedOut(await refused({ ...problem, code }, { status: 401 }))).toBe(true);
  });

  it("holds for a 401 without a code", async () => {
    expect(isSignedOut(await refused("Unauthorized", { status: 401 }))).toBe(true);
  });

  it("does not hold for a wrong password", async () => {
    expect(isSignedOut(await refused({ ...problem, code: "invalid_credentials" }, { status: 401 }))).toBe(
      false,
    );
  });

  it.each([403, 404, 429, 500, 503])("does not hold for %i, whatever its code", async (status) => {
    expect(isSignedOut(await refused({ ...problem, code: "session_revoked" }, { status }))).toBe(false);
  });

  it("does not hold for anything else that was thrown", () => {
    expect(isSignedOut({ status: 401, code: "session_revoked" })).toBe(false);
    expect(isSignedOut(new Error("401"))).toBe(false);
    expect(isSignedOut(null)).toBe(false);
  });
});
