import { fireEvent, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { failWith, json, service } from "@/testing/fake-service";
import { openPage } from "@/testing/open-page";

const LIST = "GET /v1/me/notices";
const PUT = "PUT /v1/me/notices/welcome";

const notice = (key: string, security: boolean, enabled = true) => ({
  key,
  name: key,
  description: `About ${key}.`,
  security,
  enabled,
});

const toggle = (name: string) => screen.getByRole("switch", { name }) as HTMLInputElement;

beforeEach(() => {
  service.signIn();
  service.answer(
    LIST,
    json({ items: [notice("new-device", true), notice("welcome", false), notice("news", false)] }),
  );
});

const showNotices = async () => {
  const page = await openPage("/settings/notifications");
  await screen.findByText("About welcome.");
  return page;
};

describe("notifications", () => {
  it("has switches, and none for what cannot be turned off", async () => {
    await showNotices();
    expect(screen.getAllByRole("switch")).toHaveLength(2);
    expect(screen.queryByRole("switch", { name: "new-device" })).toBeNull();
    expect(screen.getByText("Always on").closest("li")?.textContent).toContain("new-device");
  });

  it("moves a switch at once, and asks again how things are", async () => {
    const page = await showNotices();
    const give = service.hold(PUT);
    fireEvent.click(toggle("welcome"));
    await waitFor(() => expect(toggle("welcome").checked).toBe(false));
    expect(toggle("news").checked).toBe(true);
    service.answer(LIST, json({ items: [notice("welcome", false, false), notice("news", false)] }));
    give(Response.json(notice("welcome", false, false)));
    await waitFor(() => expect(service.count(LIST)).toBe(2));
    await waitFor(() => expect(page.queries.isFetching()).toBe(0));
    expect(toggle("welcome").checked).toBe(false);
    expect(service.bodies).toEqual([{ enabled: false }]);
  });

  it("moves it back and says so when that fails", async () => {
    service.answer(PUT, failWith(503, "service_unavailable"));
    await showNotices();
    fireEvent.click(toggle("welcome"));
    await waitFor(() =>
      expect(document.querySelector("[role=alertdialog]")?.textContent).toBe(
        "Could not turn “welcome” offError: service_unavailable.",
      ),
    );
    expect(toggle("welcome").checked).toBe(true);
  });

  it("ends where the last press left it, whatever is under way", async () => {
    const page = await showNotices();
    const give = service.hold(PUT);
    fireEvent.click(toggle("welcome"));
    await waitFor(() => expect(toggle("welcome").checked).toBe(false));
    fireEvent.click(toggle("welcome"));
    await waitFor(() => expect(toggle("welcome").checked).toBe(true));
    service.answer(PUT, json(notice("welcome", false)));
    give(Response.json(notice("welcome", false, false)));
    await waitFor(() => expect(page.queries.isMutating() + page.queries.isFetching()).toBe(0));
    expect(toggle("welcome").checked).toBe(true);
    expect(service.bodies).toEqual([{ enabled: false }, { enabled: true }]);
    expect(service.count(LIST)).toBe(2);
  });

  it("can be loaded again after a failure", async () => {
    service.answer(LIST, failWith(403, "forbidden"), json({ items: [notice("welcome", false)] }));
    await openPage("/settings/notifications");
    await screen.findByText("Your notifications could not be loaded. Error: forbidden.");
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    await screen.findByRole("switch", { name: "welcome" });
  });
});
