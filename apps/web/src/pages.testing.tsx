import { QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRouter, RouterProvider } from "@tanstack/react-router";
import { cleanup, render } from "@testing-library/react";
import { afterEach, beforeAll, beforeEach, vi } from "vitest";
import { client } from "@/client/client.gen";
import { Toaster } from "@/components/ui/toaster";
import { toApiError } from "@/lib/errors";
import { createQueries } from "@/lib/queries";
import { routeTree } from "./routeTree.gen";

type Answer = (body: unknown) => Response | Promise<Response>;

/** A service that answers as it is told to, request by request ("POST /v1/auth/login"); the last answer stays. */
class Service {
  readonly asked: string[] = [];
  readonly bodies: unknown[] = [];
  private readonly answers = new Map<string, Answer[]>();

  answer(request: string, ...answers: Answer[]): void {
    this.answers.set(request, answers);
  }

  /** Holds the next answer to such requests back. */
  hold(request: string): (answer: Response) => void {
    let give: (answer: Response) => void = () => {};
    const answer = new Promise<Response>((resolve) => {
      give = resolve;
    });
    this.answer(request, () => answer);
    return give;
  }

  readonly fetch = async (target: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = target instanceof Request ? target : new Request(new URL(target, location.origin), init);
    const { pathname, search } = new URL(request.url);
    this.asked.push(`${request.method} ${pathname}${search}`);
    const text = await request.text();
    const body: unknown = text ? JSON.parse(text) : null;
    if (request.method !== "GET") this.bodies.push(body);
    const answers = this.answers.get(`${request.method} ${pathname}`) ?? [];
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return answer ? answer(body) : problem(404, "not_found");
  };

  count(request: string): number {
    return this.asked.filter((asked) => asked === request).length;
  }
}

export const json = (value: unknown) => () => Response.json(value);
export const done = () => new Response(null, { status: 204 });
export const refuse = (status: number, code: string) => () => problem(status, code);
export const unreachable = () => Promise.reject(new TypeError("fetch failed"));

export function problem(status: number, code: string, more: object = {}, headers?: HeadersInit): Response {
  return Response.json({ status, code, detail: `Refused: ${code}.`, ...more }, { status, headers });
}

export let service: Service;

beforeAll(() => {
  client.interceptors.error.use(toApiError);
  // What jsdom lacks.
  vi.stubGlobal("scrollTo", () => {});
  HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) {
    this.open = true;
  };
  HTMLDialogElement.prototype.close ??= function (this: HTMLDialogElement) {
    this.open = false;
  };
});

beforeEach(() => {
  service = new Service();
  vi.stubGlobal("fetch", service.fetch);
  sessionStorage.clear();
});

afterEach(cleanup);

/** The app, opened at an address as in a new tab; again for a reload. */
export async function openPage(href: string) {
  const queries = createQueries(() => {});
  const history = createMemoryHistory({ initialEntries: [href] });
  const router = createRouter({ routeTree, history, context: { queries } });
  const page = render(
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
      <Toaster />
    </QueryClientProvider>,
  );
  await page.findByRole("heading", { level: 1 });
  return { ...page, router, queries, href: () => router.state.location.href };
}
