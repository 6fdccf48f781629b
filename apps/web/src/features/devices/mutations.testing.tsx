import { type QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { act, cleanup, renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeAll, beforeEach, expect, vi } from "vitest";
import { client } from "@/client/client.gen";
import type { Session } from "@/client/types.gen";
import { Toaster } from "@/components/ui/toaster";
import { toApiError } from "@/lib/errors";
import { createQueries } from "@/lib/queries";
import { type AskPassword, StepUpContext } from "@/lib/step-up";
import { useRenameSession, useRevokeOtherSessions, useRevokeSession } from "./mutations";
import { activeSessions } from "./queries";

type Answer = () => Response | Promise<Response>;

/** A service with devices. What it answers can be laid down, and held back, request by request. */
class Service {
  readonly asked: string[] = [];
  sessions = ["This one", "Laptop", "Phone", "Tablet"].map(device);
  private readonly answers = new Map<string, Answer[]>();

  /** The next request like this ("DELETE Phone", "GET") gets this answer. */
  answer(request: string, answer: Answer): void {
    this.answers.set(request, [...(this.answers.get(request) ?? []), answer]);
  }

  /** Holds the next request like this back until it is given an answer. */
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
    const [, , collection, id] = new URL(request.url).pathname.split("/");
    const named =
      collection === "sessions" && id ? ` ${id}` : collection === "sessions" ? "" : ` ${collection}`;
    const asked = request.method + named;
    this.asked.push(asked);
    const laid = this.answers.get(asked)?.shift();
    if (laid) return laid();
    if (asked === "GET") return Response.json({ items: this.sessions, next_cursor: null });
    if (asked === "DELETE") return Response.json({ revoked: this.end((session) => !session.current) });
    if (request.method === "PATCH") {
      const { name } = await request.json();
      const session = this.sessions.find((each) => each.id === id) as Session;
      const renamed = { ...session, name: name.trim() || "Firefox on Linux" };
      this.sessions = this.sessions.map((each) => (each === session ? renamed : each));
      return Response.json(renamed);
    }
    return this.end((session) => session.id === id)
      ? new Response(null, { status: 204 })
      : problem(404, "not_found");
  };

  /** Ends devices and says how many. */
  end(which: (session: Session) => boolean): number {
    const before = this.sessions.length;
    this.sessions = this.sessions.filter((session) => !which(session));
    return before - this.sessions.length;
  }

  count(request: string): number {
    return this.asked.filter((asked) => asked === request).length;
  }
}

export function device(name: string): Session {
  return {
    id: name.toLowerCase().replace(" ", "-"),
    user_id: "me",
    name,
    device: { kind: "desktop", browser: "Firefox", os: "Linux" },
    ip: null,
    location: null,
    created_at: "2026-01-01T00:00:00Z",
    last_active_at: "2026-01-01T00:00:00Z",
    expires_at: "2027-01-01T00:00:00Z",
    current: name === "This one",
    status: "active",
    ended_at: null,
    end_reason: null,
  };
}

export function problem(status: number, code: string): Response {
  return Response.json({ status, code, detail: `Refused: ${code}.` }, { status });
}

export let service: Service;
export let queries: QueryClient;
export const ask = vi.fn<AskPassword>();
export const onSignedOut = vi.fn();
export const onOthersDone = vi.fn();

beforeAll(() => {
  client.interceptors.error.use(toApiError);
});

beforeEach(() => {
  service = new Service();
  vi.stubGlobal("fetch", service.fetch);
  ask.mockReset();
  onSignedOut.mockReset();
  onOthersDone.mockReset();
});

afterEach(() => {
  cleanup();
  queries.clear();
  vi.unstubAllGlobals();
});

function Surroundings({ children }: { children: ReactNode }) {
  return (
    <QueryClientProvider client={queries}>
      <StepUpContext value={ask}>{children}</StepUpContext>
      <Toaster />
    </QueryClientProvider>
  );
}

/** The list as it is shown, with what can be done to it. */
export async function showDevices() {
  queries = createQueries(onSignedOut);
  const { result } = renderHook(
    () => ({
      list: useQuery(activeSessions()).data?.items,
      revoke: useRevokeSession(),
      others: useRevokeOtherSessions(onOthersDone),
      rename: useRenameSession(),
    }),
    { wrapper: Surroundings },
  );
  await waitFor(() => expect(result.current.list).toBeDefined());
  const find = (name: string) => service.sessions.find((session) => session.name === name) as Session;
  return {
    shown: () => result.current.list?.map((session) => session.name),
    revoke: (...names: string[]) =>
      act(() => names.map(find).forEach((each) => void result.current.revoke.mutate(each))),
    revokeOthers: () => act(() => result.current.others.mutate()),
    rename: (name: string, to: string) =>
      act(() => result.current.rename.mutate({ session: find(name), name: to })),
    /** Waits until nothing is under way, the list included. */
    settled: () => waitFor(() => expect(queries.isMutating() + queries.isFetching()).toBe(0)),
  };
}

/** What the toasts say, the newest first. A failure's is an alert dialog, and announced on its own. */
export const said = () =>
  [...document.querySelectorAll("[role=dialog], [role=alertdialog]")].map((toast) => toast.textContent);
export const all = ["This one", "Laptop", "Phone", "Tablet"];
