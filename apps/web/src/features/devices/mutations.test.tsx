import { type QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { act, renderHook, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Session } from "@/client/types.gen";
import { Toaster } from "@/components/ui/toaster";
import { Canceled } from "@/lib/errors";
import { createQueryClient } from "@/lib/query-client";
import { type AskPassword, StepUpContext } from "@/lib/step-up";
import "@/testing/dom";
import { failWith, json, noContent, problem, service, unreachable } from "@/testing/fake-service";
import { useRenameSession, useRevokeOtherSessions, useRevokeSession } from "./mutations";
import { activeSessions } from "./queries";

const LIST = "GET /v1/sessions";
const REVOKE_OTHERS = "DELETE /v1/sessions";
const REFRESH = "POST /v1/auth/refresh";
const revoking = (id: string) => `DELETE /v1/sessions/${id}`;
const RENAME_PHONE = "PATCH /v1/sessions/phone";
const NAMES = ["This one", "Laptop", "Phone", "Tablet"];

const device = (name: string): Session => ({
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
});

/** The devices that the service knows. */
let sessions: Session[];
let queryClient: QueryClient;
const ask = vi.fn<AskPassword>();
const onSignedOut = vi.fn();
const onOthersDone = vi.fn();

const answerList = () => Response.json({ items: sessions, next_cursor: null });

function end(which: (session: Session) => boolean): number {
  const before = sessions.length;
  sessions = sessions.filter((session) => !which(session));
  return before - sessions.length;
}

beforeEach(() => {
  sessions = NAMES.map(device);
  service.answer(LIST, answerList);
  service.answer(REVOKE_OTHERS, () => Response.json({ revoked: end((session) => !session.current) }));
  for (const { id } of sessions) {
    service.answer(revoking(id), () =>
      end((session) => session.id === id) ? noContent() : problem(404, "not_found"),
    );
  }
  service.answer(RENAME_PHONE, (body) => {
    const phone = { ...device("Phone"), name: (body as { name: string }).name.trim() || "Firefox on Linux" };
    sessions = sessions.map((session) => (session.id === phone.id ? phone : session));
    return Response.json(phone);
  });
  for (const mock of [ask, onSignedOut, onOthersDone]) mock.mockReset();
});

afterEach(() => queryClient.clear());

/** The list as it is shown, with what can be done to it. */
async function showDevices() {
  queryClient = createQueryClient(onSignedOut);
  const { result } = renderHook(
    () => ({
      list: useQuery(activeSessions()).data?.items,
      revoke: useRevokeSession(),
      others: useRevokeOtherSessions(onOthersDone),
      rename: useRenameSession(),
    }),
    {
      wrapper: ({ children }) => (
        <QueryClientProvider client={queryClient}>
          <StepUpContext value={ask}>{children}</StepUpContext>
          <Toaster />
        </QueryClientProvider>
      ),
    },
  );
  await waitFor(() => expect(result.current.list).toBeDefined());
  const find = (name: string) => sessions.find((session) => session.name === name) as Session;
  return {
    shown: () => result.current.list?.map((session) => session.name),
    revoke: (...names: string[]) =>
      act(() => names.map(find).forEach((session) => void result.current.revoke.mutate(session))),
    revokeOthers: () => act(() => result.current.others.mutate()),
    rename: (name: string, to: string) =>
      act(() => result.current.rename.mutate({ session: find(name), name: to })),
    /** Waits until no change and no list is pending. */
    settled: () => waitFor(() => expect(queryClient.isMutating() + queryClient.isFetching()).toBe(0)),
  };
}

/** The texts of the toasts, the newest first. A failure's toast is an alert dialog. */
const toastTexts = () =>
  [...document.querySelectorAll("[role=dialog], [role=alertdialog]")].map((toast) => toast.textContent);

describe("signing out a device", () => {
  it("removes its row at once, confirms it when it is done, and loads the list again", async () => {
    const page = await showDevices();
    const release = service.hold(revoking("phone"));
    page.revoke("Phone");
    await waitFor(() => expect(service.count(revoking("phone"))).toBe(1));
    expect(page.shown()).toEqual(["This one", "Laptop", "Tablet"]);
    expect(toastTexts()).toEqual([]);
    end((session) => session.id === "phone");
    release(noContent());
    await waitFor(() => expect(toastTexts()).toEqual(["Signed out Phone"]));
    await page.settled();
    expect(page.shown()).toEqual(["This one", "Laptop", "Tablet"]);
    expect(service.requests).toEqual([LIST, revoking("phone"), LIST]);
  });

  it.each(["Laptop", "Phone", "Tablet"])("puts %s back at its position when that fails", async (name) => {
    const page = await showDevices();
    const id = name.toLowerCase();
    const release = service.hold(revoking(id));
    const list = service.hold(LIST);
    page.revoke(name);
    await waitFor(() => expect(page.shown()).not.toContain(name));
    release(problem(503, "service_unavailable"));
    // The list is not loaded yet: this is the row that was removed.
    await waitFor(() => expect(service.count(LIST)).toBe(2));
    expect(page.shown()).toEqual(NAMES);
    expect(toastTexts()).toEqual([`Could not sign out ${name}Error: service_unavailable.`]);
    list(answerList());
    await page.settled();
    expect(service.count(revoking(id))).toBe(1);
  });

  it("puts the row back when the service cannot be reached", async () => {
    const page = await showDevices();
    service.answerOnce(revoking("phone"), unreachable);
    page.revoke("Phone");
    await waitFor(() =>
      expect(toastTexts()).toEqual([
        "Could not sign out PhoneThe service cannot be reached. Check your connection.",
      ]),
    );
    await page.settled();
    expect(page.shown()).toEqual(NAMES);
  });

  it("succeeds when the device is already signed out", async () => {
    const page = await showDevices();
    service.answerOnce(revoking("phone"), () => {
      end((session) => session.id === "phone");
      return problem(404, "not_found");
    });
    page.revoke("Phone");
    await waitFor(() => expect(toastTexts()).toEqual(["Signed out Phone"]));
    await page.settled();
    expect(page.shown()).toEqual(["This one", "Laptop", "Tablet"]);
  });

  it("is not undone by a list that was requested before", async () => {
    const page = await showDevices();
    const old = service.hold(LIST);
    const stale = answerList();
    const refetched = queryClient.refetchQueries({ queryKey: activeSessions().queryKey });
    await waitFor(() => expect(service.count(LIST)).toBe(2));
    const release = service.hold(revoking("phone"));
    page.revoke("Phone");
    await waitFor(() => expect(service.count(revoking("phone"))).toBe(1));
    old(stale);
    await refetched;
    const cached = queryClient.getQueryData(activeSessions().queryKey);
    expect(cached?.items.map((session) => session.name)).toEqual(["This one", "Laptop", "Tablet"]);
    end((session) => session.id === "phone");
    release(noContent());
    await page.settled();
    expect(page.shown()).toEqual(["This one", "Laptop", "Tablet"]);
  });

  it("reports that this browser is signed out when it failed for that reason", async () => {
    const page = await showDevices();
    service.answerOnce(revoking("phone"), failWith(401, "session_revoked"));
    page.revoke("Phone");
    await waitFor(() => expect(onSignedOut).toHaveBeenCalledOnce());
    expect(onSignedOut.mock.calls[0]?.[0]).toMatchObject({ code: "session_revoked" });
    await page.settled();
    // The login page explains it.
    expect(toastTexts()).toEqual([]);
  });

  it("refreshes an expired token", async () => {
    const page = await showDevices();
    service.answerOnce(revoking("phone"), failWith(401, "token_expired"));
    service.answerOnce(REFRESH, json({}));
    page.revoke("Phone");
    await waitFor(() => expect(toastTexts()).toEqual(["Signed out Phone"]));
    await page.settled();
    expect(service.requests).toEqual([LIST, revoking("phone"), REFRESH, revoking("phone"), LIST]);
    expect(onSignedOut).not.toHaveBeenCalled();
  });
});

describe("signing out a device when the password was entered long ago", () => {
  it("asks for the password and continues when it was right", async () => {
    const page = await showDevices();
    service.answerOnce(revoking("phone"), failWith(403, "reauthentication_required"));
    let right: () => void = () => {};
    ask.mockImplementation(() => new Promise((resolve) => (right = resolve)));
    page.revoke("Phone");
    await waitFor(() => expect(ask).toHaveBeenCalledOnce());
    expect(service.count(revoking("phone"))).toBe(1);
    right();
    await waitFor(() => expect(toastTexts()).toEqual(["Signed out Phone"]));
    await page.settled();
    expect(service.requests).toEqual([LIST, revoking("phone"), revoking("phone"), LIST]);
    expect(page.shown()).toEqual(["This one", "Laptop", "Tablet"]);
  });

  it("puts the row back without a toast when the user cancels", async () => {
    const page = await showDevices();
    service.answerOnce(revoking("phone"), failWith(403, "reauthentication_required"));
    ask.mockRejectedValue(new Canceled());
    page.revoke("Phone");
    await waitFor(() => expect(ask).toHaveBeenCalledOnce());
    await page.settled();
    expect(page.shown()).toEqual(NAMES);
    expect(toastTexts()).toEqual([]);
    expect(service.count(revoking("phone"))).toBe(1);
  });

  it("does not ask again when the service still requires the password", async () => {
    const page = await showDevices();
    for (const _ of [1, 2]) service.answerOnce(revoking("phone"), failWith(403, "reauthentication_required"));
    ask.mockResolvedValue();
    page.revoke("Phone");
    await waitFor(() =>
      expect(toastTexts()).toEqual(["Could not sign out PhoneError: reauthentication_required."]),
    );
    await page.settled();
    expect(ask).toHaveBeenCalledOnce();
    expect(page.shown()).toEqual(NAMES);
  });

  it("does not ask because of another error", async () => {
    const page = await showDevices();
    service.answerOnce(revoking("phone"), failWith(403, "csrf_failed"));
    page.revoke("Phone");
    await waitFor(() => expect(toastTexts()).toEqual(["Could not sign out PhoneError: csrf_failed."]));
    await page.settled();
    expect(ask).not.toHaveBeenCalled();
  });
});

describe("signing out two devices at once", () => {
  it("puts neither back while the other is pending, and loads the list once", async () => {
    const page = await showDevices();
    const release = service.hold(revoking("tablet"));
    page.revoke("Phone", "Tablet");
    await waitFor(() => expect(toastTexts()).toEqual(["Signed out Phone"]));
    expect(page.shown()).toEqual(["This one", "Laptop"]);
    expect(service.count(LIST)).toBe(1);
    end((session) => session.id === "tablet");
    release(noContent());
    await waitFor(() => expect(service.count(LIST)).toBe(2));
    await page.settled();
    expect(page.shown()).toEqual(["This one", "Laptop"]);
    expect(service.count(LIST)).toBe(2);
  });

  it("puts only the first one back when only that fails, while the second is pending", async () => {
    const page = await showDevices();
    const [first, second] = [service.hold(revoking("phone")), service.hold(revoking("laptop"))];
    page.revoke("Phone", "Laptop");
    await waitFor(() => expect(page.shown()).toEqual(["This one", "Tablet"]));
    first(problem(503, "service_unavailable"));
    await waitFor(() => expect(toastTexts()).toHaveLength(1));
    expect(page.shown()).toEqual(["This one", "Phone", "Tablet"]);
    end((session) => session.id === "laptop");
    second(noContent());
    await page.settled();
    expect(page.shown()).toEqual(["This one", "Phone", "Tablet"]);
  });

  it("puts both back at their positions when both fail", async () => {
    const page = await showDevices();
    for (const id of ["phone", "laptop"]) {
      service.answerOnce(revoking(id), failWith(401, "token_expired"));
      service.answerOnce(REFRESH, failWith(503, "service_unavailable"));
    }
    page.revoke("Phone", "Laptop");
    await waitFor(() => expect(toastTexts()).toHaveLength(2));
    await page.settled();
    expect(page.shown()).toEqual(NAMES);
    expect(service.count(LIST)).toBe(2);
  });
});

describe("signing out all other devices", () => {
  it.each([
    ["1 other device", ["This one", "Phone"]],
    ["3 other devices", NAMES],
  ])("says how many there were: %s", async (what, names) => {
    sessions = names.map(device);
    const page = await showDevices();
    page.revokeOthers();
    await waitFor(() => expect(toastTexts()).toEqual([`Signed out ${what}`]));
    await page.settled();
    expect(page.shown()).toEqual(["This one"]);
  });

  it("calls onDone while the others are still shown", async () => {
    const page = await showDevices();
    onOthersDone.mockImplementation(() => expect(page.shown()).toEqual(NAMES));
    page.revokeOthers();
    await waitFor(() => expect(onOthersDone).toHaveReturned());
    await page.settled();
    expect(page.shown()).toEqual(["This one"]);
    expect(onOthersDone).toHaveReturnedTimes(1);
  });

  it("keeps the list when it fails, and shows the error", async () => {
    const page = await showDevices();
    service.answerOnce(REVOKE_OTHERS, failWith(503, "service_unavailable"));
    page.revokeOthers();
    await waitFor(() =>
      expect(toastTexts()).toEqual(["Could not sign out the other devicesError: service_unavailable."]),
    );
    await page.settled();
    expect(onOthersDone).not.toHaveBeenCalled();
    expect(page.shown()).toEqual(NAMES);
  });

  it("asks for the password when the service requires it", async () => {
    const page = await showDevices();
    service.answerOnce(REVOKE_OTHERS, failWith(403, "reauthentication_required"));
    ask.mockResolvedValue();
    page.revokeOthers();
    await waitFor(() => expect(toastTexts()).toEqual(["Signed out 3 other devices"]));
    await page.settled();
    expect(service.count(REVOKE_OTHERS)).toBe(2);
  });
});

describe("renaming a device", () => {
  it("shows the new name at once, trimmed", async () => {
    const page = await showDevices();
    const release = service.hold(RENAME_PHONE);
    page.rename("Phone", "  Kitchen ");
    await waitFor(() => expect(page.shown()).toEqual(["This one", "Laptop", "Kitchen", "Tablet"]));
    expect(toastTexts()).toEqual([]);
    sessions = sessions.map((each) => (each.id === "phone" ? { ...each, name: "Kitchen" } : each));
    release(Response.json({ ...device("Phone"), name: "Kitchen" }));
    await waitFor(() => expect(toastTexts()).toEqual(["Renamed to Kitchen"]));
    await page.settled();
    expect(page.shown()).toEqual(["This one", "Laptop", "Kitchen", "Tablet"]);
  });

  it("shows the name of the browser for a blank name, once the service has answered", async () => {
    const page = await showDevices();
    page.rename("Phone", " ");
    await waitFor(() => expect(toastTexts()).toEqual(["Renamed to Firefox on Linux"]));
    await page.settled();
    expect(page.shown()).toEqual(["This one", "Laptop", "Firefox on Linux", "Tablet"]);
  });

  it("restores the old name when it fails", async () => {
    const page = await showDevices();
    const release = service.hold(RENAME_PHONE);
    page.rename("Phone", "Kitchen");
    await waitFor(() => expect(page.shown()).toContain("Kitchen"));
    const list = service.hold(LIST);
    release(problem(422, "validation_failed"));
    await waitFor(() => expect(service.count(LIST)).toBe(2));
    expect(page.shown()).toEqual(NAMES);
    expect(toastTexts()).toEqual(["Could not rename PhoneError: validation_failed."]);
    list(answerList());
    await page.settled();
  });
});
