import { afterEach, beforeAll, beforeEach, vi } from "vitest";
import { client } from "@/client/client.gen";
import type { User } from "@/client/types.gen";
import { toApiError } from "@/lib/errors";

type Answer = (body: unknown) => Response | Promise<Response>;

const REFRESH = "POST /v1/auth/refresh";

/** The HTTP service as a page sees it. Requests are named by method and path: "POST /v1/auth/login". */
class FakeService {
  /** The requests that were sent, in order, each with its query. */
  readonly requests: string[] = [];
  /** The bodies of those that change something, parsed. */
  readonly bodies: unknown[] = [];
  /** Whether the access token has expired. Until it is refreshed, every request fails with `token_expired`. */
  tokenExpired = false;
  private readonly answers = new Map<string, Answer[]>([[REFRESH, [() => this.refresh()]]]);
  private readonly nextAnswers = new Map<string, Answer[]>();

  /** Answers such requests with these answers in turn; the last one stays. */
  answer(request: string, ...answers: Answer[]): void {
    this.answers.set(request, answers);
  }

  /** Answers the next such request, and none after it; several calls answer several requests. */
  answerOnce(request: string, answer: Answer): void {
    this.nextAnswers.set(request, [...(this.nextAnswers.get(request) ?? []), answer]);
  }

  /** Keeps the next such request waiting until the returned function is called with its answer. */
  hold(request: string): (answer: Response | Promise<Response>) => void {
    let release: (answer: Response | Promise<Response>) => void = () => {};
    const answer = new Promise<Response>((resolve) => {
      release = resolve;
    });
    this.answerOnce(request, () => answer);
    return release;
  }

  /** Has a user signed in. */
  signIn(user: Partial<User> = {}): void {
    const me = { id: "me", email: "ada@example.com", role: "user", user_metadata: {}, ...user };
    this.answer("GET /v1/me", json({ user: me, session: {} }));
  }

  /** What a successful refresh does, and its answer. */
  refresh(): Response {
    this.tokenExpired = false;
    return Response.json({ token_type: "bearer" });
  }

  /** How many such requests were sent. */
  count(request: string): number {
    return this.requests.filter((sent) => sent === request).length;
  }

  readonly fetch = async (target: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = target instanceof Request ? target : new Request(new URL(target, location.origin), init);
    request.signal.throwIfAborted();
    const { pathname, search } = new URL(request.url);
    const name = `${request.method} ${pathname}`;
    this.requests.push(name + search);
    const text = await request.text();
    const body: unknown = text ? JSON.parse(text) : null;
    if (request.method !== "GET") this.bodies.push(body);
    if (this.tokenExpired && name !== REFRESH) return problem(401, "token_expired");
    return this.answerOf(name)(body);
  };

  private answerOf(request: string): Answer {
    const next = this.nextAnswers.get(request)?.shift();
    if (next) return next;
    const answers = this.answers.get(request) ?? [];
    return (answers.length > 1 ? answers.shift() : answers[0]) ?? failWith(404, "not_found");
  }
}

export const json = (value: unknown) => () => Response.json(value);
export const noContent = () => new Response(null, { status: 204 });
export const failWith = (status: number, code: string) => () => problem(status, code);
export const unreachable = () => Promise.reject(new TypeError("fetch failed"));

/** An error as the service answers it, whose message is "Error: " and its code. */
export function problem(status: number, code: string, more: object = {}, headers?: HeadersInit): Response {
  return Response.json({ status, code, detail: `Error: ${code}.`, ...more }, { status, headers });
}

/** The service of the test that runs, which `fetch` leads to. */
export let service: FakeService;

beforeAll(() => {
  client.interceptors.error.use(toApiError);
});

beforeEach(() => {
  service = new FakeService();
  vi.stubGlobal("fetch", service.fetch);
});

afterEach(() => vi.unstubAllGlobals());
