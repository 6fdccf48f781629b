import { waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { all, ask, device, onOthersDone, problem, said, service, showDevices } from "./mutations.testing";

describe("signing out two devices at once", () => {
  it("brings neither back while the other is under way, and asks for the list once", async () => {
    const page = await showDevices();
    const give = service.hold("DELETE tablet");
    page.revoke("Phone", "Tablet");
    await waitFor(() => expect(said()).toEqual(["Signed out Phone"]));
    expect(page.shown()).toEqual(["This one", "Laptop"]);
    expect(service.count("GET")).toBe(1);
    service.end((session) => session.id === "tablet");
    give(new Response(null, { status: 204 }));
    await waitFor(() => expect(service.count("GET")).toBe(2));
    await page.settled();
    expect(page.shown()).toEqual(["This one", "Laptop"]);
    expect(service.count("GET")).toBe(2);
  });

  it("brings back only the first when only that fails, while the second is under way", async () => {
    const page = await showDevices();
    const [first, second] = [service.hold("DELETE phone"), service.hold("DELETE laptop")];
    page.revoke("Phone", "Laptop");
    await waitFor(() => expect(page.shown()).toEqual(["This one", "Tablet"]));
    first(problem(503, "service_unavailable"));
    await waitFor(() => expect(said()).toHaveLength(1));
    expect(page.shown()).toEqual(["This one", "Phone", "Tablet"]);
    service.end((session) => session.id === "laptop");
    second(new Response(null, { status: 204 }));
    await page.settled();
    expect(page.shown()).toEqual(["This one", "Phone", "Tablet"]);
  });

  it("brings both back into their places when both fail together", async () => {
    const page = await showDevices();
    for (const id of ["phone", "laptop"]) {
      service.answer(`DELETE ${id}`, () => problem(401, "token_expired"));
      service.answer("POST auth", () => problem(503, "service_unavailable"));
    }
    page.revoke("Phone", "Laptop");
    await waitFor(() => expect(said()).toHaveLength(2));
    await page.settled();
    expect(page.shown()).toEqual(all);
    expect(service.count("GET")).toBe(2);
  });
});

describe("signing out all other devices", () => {
  it.each([
    ["1 other device", ["This one", "Phone"]],
    ["3 other devices", all],
  ])("says how many there were: %s", async (what, names) => {
    service.sessions = names.map(device);
    const page = await showDevices();
    page.revokeOthers();
    await waitFor(() => expect(said()).toEqual([`Signed out ${what}`]));
    await page.settled();
    expect(page.shown()).toEqual(["This one"]);
  });

  it("tells its caller while the others are still shown", async () => {
    const page = await showDevices();
    onOthersDone.mockImplementation(() => expect(page.shown()).toEqual(all));
    page.revokeOthers();
    await waitFor(() => expect(onOthersDone).toHaveReturned());
    await page.settled();
    expect(page.shown()).toEqual(["This one"]);
    expect(onOthersDone).toHaveReturnedTimes(1);
  });

  it("keeps the list when it fails, and says why", async () => {
    const page = await showDevices();
    service.answer("DELETE", () => problem(503, "service_unavailable"));
    page.revokeOthers();
    await waitFor(() =>
      expect(said()).toEqual(["Could not sign out the other devicesRefused: service_unavailable."]),
    );
    await page.settled();
    expect(onOthersDone).not.toHaveBeenCalled();
    expect(page.shown()).toEqual(all);
  });

  it("asks for the password where that is due", async () => {
    const page = await showDevices();
    service.answer("DELETE", () => problem(403, "reauthentication_required"));
    ask.mockResolvedValue();
    page.revokeOthers();
    await waitFor(() => expect(said()).toEqual(["Signed out 3 other devices"]));
    await page.settled();
    expect(service.count("DELETE")).toBe(2);
  });
});
