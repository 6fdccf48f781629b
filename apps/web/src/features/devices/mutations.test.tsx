import { waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { Cancelled } from "@/lib/errors";
import {
  all,
  ask,
  device,
  onSignedOut,
  problem,
  queries,
  said,
  service,
  showDevices,
} from "./mutations.testing";
import { activeSessions } from "./queries";

describe("signing out a device", () => {
  it("takes its row away at once, says so when it is done, and asks for the list anew", async () => {
    const page = await showDevices();
    const give = service.hold("DELETE phone");
    page.revoke("Phone");
    await waitFor(() => expect(service.count("DELETE phone")).toBe(1));
    expect(page.shown()).toEqual(["This one", "Laptop", "Tablet"]);
    expect(said()).toEqual([]);
    service.end((session) => session.id === "phone");
    give(new Response(null, { status: 204 }));
    await waitFor(() => expect(said()).toEqual(["Signed out Phone"]));
    await page.settled();
    expect(page.shown()).toEqual(["This one", "Laptop", "Tablet"]);
    expect(service.asked).toEqual(["GET", "DELETE phone", "GET"]);
  });

  it.each(["Laptop", "Phone", "Tablet"])("puts %s back into its place when that fails", async (name) => {
    const page = await showDevices();
    const id = name.toLowerCase();
    const give = service.hold(`DELETE ${id}`);
    const list = service.hold("GET");
    page.revoke(name);
    await waitFor(() => expect(page.shown()).not.toContain(name));
    give(problem(503, "service_unavailable"));
    // The list is not there yet: this is the row that was taken away.
    await waitFor(() => expect(service.count("GET")).toBe(2));
    expect(page.shown()).toEqual(all);
    expect(said()).toEqual([`Could not sign out ${name}Refused: service_unavailable.`]);
    list(Response.json({ items: service.sessions, next_cursor: null }));
    await page.settled();
    expect(service.count(`DELETE ${id}`)).toBe(1);
  });

  it("puts it back when the service cannot be reached", async () => {
    const page = await showDevices();
    service.answer("DELETE phone", () => Promise.reject(new TypeError("fetch failed")));
    page.revoke("Phone");
    await waitFor(() =>
      expect(said()).toEqual([
        "Could not sign out PhoneThe service cannot be reached. Check your connection.",
      ]),
    );
    await page.settled();
    expect(page.shown()).toEqual(all);
  });

  it("counts as done when the device is gone already", async () => {
    const page = await showDevices();
    service.answer("DELETE phone", () => {
      service.end((session) => session.id === "phone");
      return problem(404, "not_found");
    });
    page.revoke("Phone");
    await waitFor(() => expect(said()).toEqual(["Signed out Phone"]));
    await page.settled();
    expect(page.shown()).toEqual(["This one", "Laptop", "Tablet"]);
  });

  it("is not undone by a list that was on its way before", async () => {
    const page = await showDevices();
    const old = service.hold("GET");
    const stale = Response.json({ items: service.sessions, next_cursor: null });
    const refetched = queries.refetchQueries({ queryKey: activeSessions().queryKey });
    await waitFor(() => expect(service.count("GET")).toBe(2));
    const give = service.hold("DELETE phone");
    page.revoke("Phone");
    await waitFor(() => expect(service.count("DELETE phone")).toBe(1));
    old(stale);
    await refetched;
    const kept = queries.getQueryData(activeSessions().queryKey);
    expect(kept?.items.map((session) => session.name)).toEqual(["This one", "Laptop", "Tablet"]);
    service.end((session) => session.id === "phone");
    give(new Response(null, { status: 204 }));
    await page.settled();
    expect(page.shown()).toEqual(["This one", "Laptop", "Tablet"]);
  });

  it("tells that this browser's own session is over, where that is why it failed", async () => {
    const page = await showDevices();
    service.answer("DELETE phone", () => problem(401, "session_revoked"));
    page.revoke("Phone");
    await waitFor(() => expect(onSignedOut).toHaveBeenCalledOnce());
    expect(onSignedOut.mock.calls[0]?.[0]).toMatchObject({ code: "session_revoked" });
    await page.settled();
    // The login page says why.
    expect(said()).toEqual([]);
  });

  it("refreshes an expired token on the way", async () => {
    const page = await showDevices();
    service.answer("DELETE phone", () => problem(401, "token_expired"));
    service.answer("POST auth", () => Response.json({}));
    page.revoke("Phone");
    await waitFor(() => expect(said()).toEqual(["Signed out Phone"]));
    await page.settled();
    expect(service.asked).toEqual(["GET", "DELETE phone", "POST auth", "DELETE phone", "GET"]);
    expect(onSignedOut).not.toHaveBeenCalled();
  });
});

describe("signing out a device after a long while", () => {
  it("asks for the password and goes on once it was right", async () => {
    const page = await showDevices();
    service.answer("DELETE phone", () => problem(403, "reauthentication_required"));
    let right: () => void = () => {};
    ask.mockImplementation(() => new Promise((resolve) => (right = resolve)));
    page.revoke("Phone");
    await waitFor(() => expect(ask).toHaveBeenCalledOnce());
    expect(service.count("DELETE phone")).toBe(1);
    right();
    await waitFor(() => expect(said()).toEqual(["Signed out Phone"]));
    await page.settled();
    expect(service.asked).toEqual(["GET", "DELETE phone", "DELETE phone", "GET"]);
    expect(page.shown()).toEqual(["This one", "Laptop", "Tablet"]);
  });

  it("brings the row back without a word when the person turns away", async () => {
    const page = await showDevices();
    service.answer("DELETE phone", () => problem(403, "reauthentication_required"));
    ask.mockRejectedValue(new Cancelled());
    page.revoke("Phone");
    await waitFor(() => expect(ask).toHaveBeenCalledOnce());
    await page.settled();
    expect(page.shown()).toEqual(all);
    expect(said()).toEqual([]);
    expect(service.count("DELETE phone")).toBe(1);
  });

  it("does not ask a second time when the service is still not content", async () => {
    const page = await showDevices();
    for (const _ of [1, 2]) service.answer("DELETE phone", () => problem(403, "reauthentication_required"));
    ask.mockResolvedValue();
    page.revoke("Phone");
    await waitFor(() =>
      expect(said()).toEqual(["Could not sign out PhoneRefused: reauthentication_required."]),
    );
    await page.settled();
    expect(ask).toHaveBeenCalledOnce();
    expect(page.shown()).toEqual(all);
  });

  it("does not ask because of another refusal", async () => {
    const page = await showDevices();
    service.answer("DELETE phone", () => problem(403, "csrf_failed"));
    page.revoke("Phone");
    await waitFor(() => expect(said()).toEqual(["Could not sign out PhoneRefused: csrf_failed."]));
    await page.settled();
    expect(ask).not.toHaveBeenCalled();
  });
});

describe("renaming a device", () => {
  it("shows the new name at once, without its margins", async () => {
    const page = await showDevices();
    const give = service.hold("PATCH phone");
    page.rename("Phone", "  Kitchen ");
    await waitFor(() => expect(page.shown()).toEqual(["This one", "Laptop", "Kitchen", "Tablet"]));
    expect(said()).toEqual([]);
    service.sessions = service.sessions.map((each) =>
      each.id === "phone" ? { ...each, name: "Kitchen" } : each,
    );
    give(Response.json({ ...device("Phone"), name: "Kitchen" }));
    await waitFor(() => expect(said()).toEqual(["Renamed to Kitchen"]));
    await page.settled();
    expect(page.shown()).toEqual(["This one", "Laptop", "Kitchen", "Tablet"]);
  });

  it("shows its own name again for a blank one, as soon as the service has said which that is", async () => {
    const page = await showDevices();
    page.rename("Phone", " ");
    await waitFor(() => expect(said()).toEqual(["Renamed to Firefox on Linux"]));
    await page.settled();
    expect(page.shown()).toEqual(["This one", "Laptop", "Firefox on Linux", "Tablet"]);
  });

  it("brings the old name back when it fails", async () => {
    const page = await showDevices();
    const give = service.hold("PATCH phone");
    page.rename("Phone", "Kitchen");
    await waitFor(() => expect(page.shown()).toContain("Kitchen"));
    const list = service.hold("GET");
    give(problem(422, "validation_failed"));
    await waitFor(() => expect(service.count("GET")).toBe(2));
    expect(page.shown()).toEqual(all);
    expect(said()).toEqual(["Could not rename PhoneRefused: validation_failed."]);
    list(Response.json({ items: service.sessions, next_cursor: null }));
    await page.settled();
  });
});
