/** The error of every failed request. */
export class ApiError extends Error {
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** The `code` of the problem, or null for an error that is not the service's own. */
  readonly code: string | null;
  /** Why the session ended, for an error that says so. */
  readonly reason: string | null;
  /** The message for each invalid field, by the field's name. */
  readonly fields: Readonly<Record<string, string>>;
  /** The list of issues as it was sent: invalid fields, or the diagnostics of a template. */
  readonly issues: readonly Readonly<Record<string, unknown>>[];
  /** Seconds to wait before another attempt. */
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

/** The user canceled the action, so there is nothing to report. */
export class Canceled extends Error {}

/** Makes an `ApiError` of any body: problem+json, FastAPI's own errors, HTML, text or none. An `AbortError` stays itself. */
export function toApiError(body: unknown, response: Response | undefined): unknown {
  if (body instanceof Error) return body.name === "AbortError" ? body : new ApiError(messageOf(null, 0));
  const status = response?.status ?? 0;
  const problem = isObject(body) ? body : {};
  return new ApiError(messageOf(body, status), {
    status,
    code: text(problem.code) ?? text(detailObject(problem).code),
    reason: text(problem.reason),
    fields: fieldsOf(problem),
    issues: issuesOf(problem),
    retryAfter: seconds(response?.headers.get("retry-after")),
    requestId: response?.headers.get("x-request-id") ?? text(problem.request_id),
  });
}

/** Returns a sentence to show for anything that was thrown. */
export function getErrorMessage(error: unknown): string {
  if (error instanceof Error && error.message) return error.message;
  return messageOf(error, 0);
}

/** Returns whether an error means that this browser is not signed in, or not any more. */
export function isSignedOut(error: unknown): error is ApiError {
  return hasStatus(error, 401) && error.code !== "invalid_credentials";
}

export function isForbidden(error: unknown): error is ApiError {
  return hasStatus(error, 403);
}

export function isNotFound(error: unknown): error is ApiError {
  return hasStatus(error, 404);
}

/** Waits for the deletion of something, which may already be gone. */
export async function ignoreNotFound(deletion: Promise<unknown>): Promise<void> {
  try {
    await deletion;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

function hasStatus(error: unknown, status: number): error is ApiError {
  return error instanceof ApiError && error.status === status;
}

const MAX_PLAIN_TEXT = 200;
/** HTML, and JSON without a message: not fit to be shown. */
const MARKUP = /^(?:[<{[]|null$)/;

function messageOf(body: unknown, status: number): string {
  const problem = isObject(body) ? body : {};
  const messages = issuesOf(problem)
    .map((issue) => text(issue.msg))
    .filter((message) => message !== null);
  return (
    (messages.length > 0 ? messages.join(" ") : null) ??
    text(problem.detail) ??
    text(detailObject(problem).message) ??
    text(problem.title) ??
    text(problem.message) ??
    plainText(body) ??
    (status === 0
      ? "The service cannot be reached. Check your connection."
      : `The request failed (${status}).`)
  );
}

function fieldsOf(problem: Record<string, unknown>): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const issue of issuesOf(problem)) {
    const path = Array.isArray(issue.loc) ? issue.loc.slice(1) : [];
    const message = text(issue.msg);
    if (path.length > 0 && message) fields[path.join(".")] ??= message;
  }
  return fields;
}

/** FastAPI sends the list as `detail`, our problems as `errors`. */
function issuesOf(problem: Record<string, unknown>): Record<string, unknown>[] {
  const list = Array.isArray(problem.errors) ? problem.errors : problem.detail;
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function detailObject(problem: Record<string, unknown>): Record<string, unknown> {
  return isObject(problem.detail) ? problem.detail : {};
}

function plainText(body: unknown): string | null {
  const message = text(body);
  return message && message.length < MAX_PLAIN_TEXT && !MARKUP.test(message) ? message : null;
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
