import { fireEvent, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { failWith, json, service } from "@/testing/fake-service";
import { openPage } from "@/testing/open-page";

const LIST = "GET /v1/me/notifications";
const PUT = "PUT /v1/me/notifications/welcome";

const notification = (key: string, security: boolean, enabled = true) => ({
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
    json({
      items: [notification("new-device", true), notification("welcome", false), notification("news", false)],
    }),
  );
});

const showNotifications = async () => {
  const page = await openPage("/settings/notifications");
  await screen.findByText("About welcome.");
  return page;
};

describe("notifications", () => {
  it("have a switch each, except those that cannot be turned off", async () => {
    await showNotifications();
    expect(screen.getAllByRole("switch")).toHaveLength(2);
    expect(screen.queryByRole("switch", { name: "new-device" })).toBeNull();
    expect(screen.getByText("Always on").closest("li")?.textContent).toContain("new-device");
  });

  it("show a change at once, and are loaded again", async () => {
    const page = await showNotifications();
    const release = service.hold(PUT);
    fireEvent.click(toggle("welcome"));
    await waitFor(() => expect(toggle("welcome").checked).toBe(false));
    expect(toggle("news").checked).toBe(true);
    service.answer(
      LIST,
      json({ items: [notification("welcome", false, false), notification("news", false)] }),
    );
    release(Response.json(notification("welcome", false, false)));
    await waitFor(() => expect(service.count(LIST)).toBe(2));
    await waitFor(() => expect(page.queryClient.isFetching()).toBe(0));
    expect(toggle("welcome").checked).toBe(false);
    expect(service.bodies).toEqual([{ enabled: false }]);
  });

  it("undo the change and show the error when it fails", async () => {
    service.answer(PUT, failWith(503, "service_unavailable"));
    await showNotifications();
    fireEvent.click(toggle("welcome"));
    await waitFor(() =>
      expect(document.querySelector("[role=alertdialog]")?.textContent).toBe(
        "Could not turn “welcome” offError: service_unavailable.",
      ),
    );
    expect(toggle("welcome").checked).toBe(true);
  });

  it("end with the last of two changes", async () => {
    const page = await showNotifications();
    const release = service.hold(PUT);
    fireEvent.click(toggle("welcome"));
    await waitFor(() => expect(toggle("welcome").checked).toBe(false));
    fireEvent.click(toggle("welcome"));
    await waitFor(() => expect(toggle("welcome").checked).toBe(true));
    service.answer(PUT, json(notification("welcome", false)));
    release(Response.json(notification("welcome", false, false)));
    await waitFor(() => expect(page.queryClient.isMutating() + page.queryClient.isFetching()).toBe(0));
    expect(toggle("welcome").checked).toBe(true);
    expect(service.bodies).toEqual([{ enabled: false }, { enabled: true }]);
    expect(service.count(LIST)).toBe(2);
  });

  it("explain why they cannot be loaded, and can be loaded again", async () => {
    service.answer(LIST, failWith(400, "broken"), json({ items: [notification("welcome", false)] }));
    await openPage("/settings/notifications");
    await screen.findByText("Your notifications could not be loaded. Error: broken.");
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    await screen.findByRole("switch", { name: "welcome" });
  });
});
