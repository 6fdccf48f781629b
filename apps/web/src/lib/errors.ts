/** The one error of every failed request. `status` 0: no answer came; `code` is the contract's, where there is one. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string | null;
  /** Why a session ended, where that is what was refused. */
  readonly reason: string | null;
  /** What is wrong with which field; the key is the field's name. */
  readonly fields: Readonly<Record<string, string>>;
  /** The list of what is wrong, as it was sent: of fields, or the diagnostics of a template. */
  readonly issues: readonly Readonly<Record<string, unknown>>[];
  /** Seconds until another attempt makes sense. */
  readonly retryAfter: number | null;
  readonly requestId: string | null;

  constructor(
    message: string,
    parts: Partial<
      Pick<ApiError, "status" | "code" | "reason" | "fields" | "issues" | "retryAfter" | "requestId">
    > = {},
  ) {
    super(message);
    this.name = "ApiError";
    this.status = parts.status ?? 0;
    this.code = parts.code ?? null;
    this.reason = parts.reason ?? null;
    this.fields = parts.fields ?? {};
    this.issues = parts.issues ?? [];
    this.retryAfter = parts.retryAfter ?? null;
    this.requestId = parts.requestId ?? null;
  }
}

/** What a person did not do, rather than what failed: no message is due. */
export class Cancelled extends Error {}

/** Makes the one error of whatever an answer carried: problem+json, FastAPI's own shapes, HTML, text or nothing. */
export function toApiError(body: unknown, response: Response | undefined): unknown {
  if (body instanceof Error) return body.name === "AbortError" ? body : new ApiError(messageOf(null, 0));
  const status = response?.status ?? 0;
  const problem = isObject(body) ? body : {};
  return new ApiError(messageOf(body, status), {
    status,
    code: text(problem.code) ?? text(inner(problem).code),
    reason: text(problem.reason),
    fields: fieldsOf(problem),
    issues: issues(problem),
    retryAfter: seconds(response?.headers.get("retry-after")),
    requestId: response?.headers.get("x-request-id") ?? text(problem.request_id),
  });
}

/** Says in a sentence what went wrong, whatever was thrown. */
export function getErrorMessage(error: unknown): string {
  if (error instanceof Error && error.message) return error.message;
  return messageOf(error, 0);
}

/** Tells whether an error means that this browser is no longer signed in. */
export function isSignedOut(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 401 && error.code !== "invalid_credentials";
}

const SHORT = 200;
/** HTML, and JSON that could not be read or says nothing: no words for a person. */
const MARKUP = /^(?:[<{[]|null$)/;

function messageOf(body: unknown, status: number): string {
  const problem = isObject(body) ? body : {};
  const list = issues(problem)
    .map((issue) => text(issue.msg))
    .filter((message) => message !== null);
  return (
    (list.length > 0 ? list.join(" ") : null) ??
    text(problem.detail) ??
    text(inner(problem).message) ??
    text(problem.title) ??
    text(problem.message) ??
    plain(body) ??
    (status === 0
      ? "The service cannot be reached. Check your connection."
      : `The request failed (${status}).`)
  );
}

function fieldsOf(problem: Record<string, unknown>): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const issue of issues(problem)) {
    const path = Array.isArray(issue.loc) ? issue.loc.slice(1) : [];
    const message = text(issue.msg);
    if (path.length > 0 && message) fields[path.join(".")] ??= message;
  }
  return fields;
}

/** FastAPI puts the list into `detail`, our problems into `errors`. */
function issues(problem: Record<string, unknown>): Record<string, unknown>[] {
  const list = Array.isArray(problem.errors) ? problem.errors : problem.detail;
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function inner(problem: Record<string, unknown>): Record<string, unknown> {
  return isObject(problem.detail) ? problem.detail : {};
}

function plain(body: unknown): string | null {
  const words = text(body);
  return words && words.length < SHORT && !MARKUP.test(words) ? words : null;
}

function text(value: unknown): string | null {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : null;
}

function seconds(header: string | null | undefined): number | null {
  return header && /^\d+$/.test(header) ? Number(header) : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
