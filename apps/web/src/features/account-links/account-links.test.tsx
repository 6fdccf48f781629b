import { act, cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { removeTabValue } from "@/lib/tab-storage";
import { failWith, json, noContent, problem, service, unreachable } from "@/testing/fake-service";
import { openPage } from "@/testing/open-page";
import { CONFIRMATION, REPORT } from "./stored-answer";

const NOT_ME = "POST /v1/sessions/not-me";
const RESET = "POST /v1/auth/password/reset";
const VERIFY = "POST /v1/auth/email/verify";
const FORGOT = "POST /v1/auth/password/forgot";

const button = (name: string) => screen.getByRole("button", { name });
const press = (name: string) => fireEvent.click(button(name));
const linkNames = () => screen.getAllByRole("link").map((link) => link.textContent);

function setPassword(password: string) {
  fireEvent.change(screen.getByLabelText("New password"), { target: { value: password } });
  press("Set new password");
}

beforeEach(() => {
  for (const name of ["/not-me", "/reset-password", "/verify-email", REPORT, CONFIRMATION])
    removeTabValue(name);
});

describe.each([
  { path: "/not-me", request: NOT_ME, name: "Sign out every device" },
  { path: "/verify-email", request: VERIFY, name: "Confirm email address" },
])("$path", ({ path, request, name }) => {
  it("does nothing before the click, and removes the token from the URL", async () => {
    const page = await openPage(`${path}#token=abc`);
    expect(page.href()).toBe(path);
    expect(page.router.history.length).toBe(1);
    expect(button(name)).toBeDefined();
    expect(service.requests).toEqual([]);
  });

  it("still has the token after a reload", async () => {
    await openPage(`${path}#token=abc`);
    cleanup();
    service.answer(request, unreachable);
    await openPage(path);
    press(name);
    await screen.findByRole("alert");
    expect(service.bodies).toEqual([{ token: "abc" }]);
  });

  it("uses the token of a newer link that is opened in the same tab", async () => {
    const page = await openPage(`${path}#token=abc`);
    service.answer(request, failWith(410, "link_used"));
    press(name);
    await screen.findByRole("alert");
    await act(() => page.router.navigate({ href: `${path}#token=newer` }));
    service.answer(request, unreachable);
    press(name);
    await screen.findByText("The service cannot be reached. Check your connection.");
    expect(service.bodies).toEqual([{ token: "abc" }, { token: "newer" }]);
  });

  it("sends a double click once", async () => {
    await openPage(`${path}#token=abc`);
    const release = service.hold(request);
    press(name);
    press(name);
    await waitFor(() => expect(service.count(request)).toBe(1));
    release(problem(503, "service_unavailable"));
    await screen.findByRole("alert");
    expect(service.count(request)).toBe(1);
  });

  it.each([
    ["the user is offline", unreachable, "The service cannot be reached. Check your connection."],
    ["the service is unavailable", failWith(503, "service_unavailable"), "Error: service_unavailable."],
    ["there were too many requests", failWith(429, "rate_limited"), "Error: rate_limited."],
  ])("can be clicked again when %s", async (_, answer, message) => {
    service.answer(request, answer, failWith(410, "link_used"));
    await openPage(`${path}#token=abc`);
    press(name);
    expect((await screen.findByRole("alert")).textContent).toBe(message);
    press(name);
    await screen.findByText(/already used/);
    expect(service.bodies).toEqual([{ token: "abc" }, { token: "abc" }]);
  });

  it.each([
    ["link_invalid", 404, /incomplete or invalid/],
    ["link_expired", 410, /expired/],
    ["link_used", 410, /already used/],
  ])("explains %s, and offers what to do instead", async (code, status, message) => {
    service.answer(request, failWith(status, code));
    await openPage(`${path}#token=abc`);
    press(name);
    expect((await screen.findByRole("alert")).textContent).toMatch(message);
    expect(screen.queryByRole("button", { name })).toBeNull();
    expect(linkNames()).toContain("Go to your devices");
  });

  it("says so when there is no token", async () => {
    await openPage(path);
    expect(screen.getByRole("alert").textContent).toMatch(/full link from our email/);
    expect(screen.queryByRole("button", { name })).toBeNull();
  });
});

describe("a report of a sign-in", () => {
  it.each([
    [0, "No devices were signed in."],
    [1, "1 device was signed out."],
    [3, "3 devices were signed out."],
  ])("says how many devices were signed out: %i", async (revoked, message) => {
    service.answer(NOT_ME, json({ revoked, reset_token: "fresh" }));
    await openPage("/not-me#token=abc");
    press("Sign out every device");
    const result = await screen.findByRole("status");
    expect(result.textContent).toBe(message);
    expect(document.activeElement).toBe(result);
  });

  it("continues with a new password, also after a reload, and leaves nothing stored", async () => {
    service.answer(NOT_ME, json({ revoked: 3, reset_token: "fresh" }));
    service.answer(RESET, noContent);
    await openPage("/not-me#token=abc");
    press("Sign out every device");
    await screen.findByLabelText("New password");
    cleanup();
    await openPage("/not-me");
    expect(screen.getByRole("status").textContent).toBe("3 devices were signed out.");
    setPassword("quite long enough");
    await screen.findByText("Your password was changed, and every device was signed out.");
    expect(service.bodies).toEqual([{ token: "abc" }, { token: "fresh", password: "quite long enough" }]);
    expect(linkNames()).toEqual(["Sign in"]);
    expect(sessionStorage).toHaveLength(0);
  });

  it("asks again for a newer link, even after an older one was used", async () => {
    service.answer(NOT_ME, json({ revoked: 3, reset_token: "fresh" }));
    await openPage("/not-me#token=abc");
    press("Sign out every device");
    await screen.findByRole("status");
    cleanup();
    await openPage("/not-me#token=newer");
    expect(button("Sign out every device")).toBeDefined();
  });

  it("offers a new link when it is too late to set the new password", async () => {
    service.answer(NOT_ME, json({ revoked: 3, reset_token: "fresh" }));
    service.answer(RESET, failWith(410, "link_expired"));
    await openPage("/not-me#token=abc");
    press("Sign out every device");
    await screen.findByLabelText("New password");
    setPassword("quite long enough");
    await screen.findByRole("alert");
    expect(linkNames()).toEqual(["Request a new link", "Sign in"]);
  });
});

describe("a new password", () => {
  it("is set once", async () => {
    service.answer(RESET, noContent);
    await openPage("/reset-password#token=abc");
    setPassword("quite long enough");
    press("Set new password");
    await screen.findByText("Your password was changed, and every device was signed out.");
    expect(service.bodies).toEqual([{ token: "abc", password: "quite long enough" }]);
    expect(sessionStorage).toHaveLength(0);
  });

  it("shows the error at its field when the service rejects it, and can be corrected", async () => {
    const errors = [{ loc: ["body", "password"], msg: "Too easy.", type: "x" }];
    service.answer(RESET, () => problem(422, "validation_failed", { errors }), noContent);
    await openPage("/reset-password#token=abc");
    setPassword("password");
    const field = screen.getByLabelText("New password");
    await waitFor(() => expect(field.getAttribute("aria-invalid")).toBe("true"));
    expect(document.activeElement).toBe(field);
    expect(screen.queryByRole("alert")).toBeNull();
    setPassword("quite long enough");
    await screen.findByText("Your password was changed, and every device was signed out.");
  });

  it.each(["link_invalid", "link_expired", "link_used", "link_voided"])(
    "needs a new link after %s",
    async (code) => {
      service.answer(RESET, failWith(code === "link_invalid" ? 404 : 410, code));
      await openPage("/reset-password#token=abc");
      setPassword("quite long enough");
      await screen.findByRole("alert");
      expect(linkNames()).toEqual(["Request a new link", "Sign in"]);
    },
  );

  it("keeps what was typed when the service is unavailable", async () => {
    service.answer(RESET, unreachable);
    await openPage("/reset-password#token=abc");
    setPassword("quite long enough");
    await screen.findByRole("alert");
    expect((screen.getByLabelText("New password") as HTMLInputElement).value).toBe("quite long enough");
  });
});

describe("a report that is too late for a new password", () => {
  it("offers a link by email instead, also after a reload", async () => {
    service.answer(NOT_ME, json({ revoked: 1, reset_token: null }));
    await openPage("/not-me#token=abc");
    press("Sign out every device");
    await screen.findByText("1 device was signed out.");
    cleanup();
    await openPage("/not-me");
    expect(screen.queryByLabelText("New password")).toBeNull();
    expect(linkNames()).toEqual(["Set a new password", "Sign in"]);
  });
});

describe("an email address that was registered elsewhere", () => {
  it("is confirmed and needs a new password, also after a reload, and leaves nothing stored", async () => {
    service.answer(VERIFY, json({ revoked: 2, reset_token: "fresh" }));
    service.answer(RESET, noContent);
    await openPage("/verify-email#token=abc");
    press("Confirm email address");
    const result = await screen.findByRole("status");
    expect(result.textContent).toBe("Your email address is confirmed. 2 devices were signed out.");
    cleanup();
    await openPage("/verify-email");
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Set a new password");
    setPassword("quite long enough");
    await screen.findByText("Your password was changed, and every device was signed out.");
    expect(service.bodies).toEqual([{ token: "abc" }, { token: "fresh", password: "quite long enough" }]);
    expect(sessionStorage).toHaveLength(0);
  });

  it("does not speak of devices when none was signed in", async () => {
    service.answer(VERIFY, json({ revoked: 0, reset_token: "fresh" }));
    await openPage("/verify-email#token=abc");
    press("Confirm email address");
    expect((await screen.findByRole("status")).textContent).toBe("Your email address is confirmed.");
    expect(screen.getByLabelText("New password")).toBeDefined();
  });

  it("asks again for a newer link, even after an older one was used", async () => {
    service.answer(VERIFY, json({ revoked: 2, reset_token: "fresh" }));
    await openPage("/verify-email#token=abc");
    press("Confirm email address");
    await screen.findByRole("status");
    cleanup();
    await openPage("/verify-email#token=newer");
    expect(button("Confirm email address")).toBeDefined();
  });
});

it("says that an email address is confirmed", async () => {
  service.answer(VERIFY, json({ revoked: 0, reset_token: null }));
  await openPage("/verify-email#token=abc");
  press("Confirm email address");
  expect((await screen.findByRole("status")).textContent).toBe("Your email address is confirmed.");
  expect(sessionStorage).toHaveLength(0);
});

describe("a forgotten password", () => {
  it("takes over the email address that was typed, but not in the URL", async () => {
    service.answer(FORGOT, () => new Response(null, { status: 202 }));
    const page = await openPage("/login");
    fireEvent.change(screen.getByLabelText("Email address"), { target: { value: "ada@example.com" } });
    fireEvent.click(screen.getByRole("link", { name: "Forgot your password?" }));
    await screen.findByRole("button", { name: "Send link" });
    expect(page.href()).toBe("/forgot-password");
    press("Send link");
    const result = await screen.findByRole("status");
    expect(result.textContent).toBe("If there is an account with this email address, we sent it a link.");
    expect(service.bodies).toEqual([{ email: "ada@example.com" }]);
  });

  it("says how long to wait after too many requests", async () => {
    service.answer(FORGOT, () => problem(429, "rate_limited", {}, { "retry-after": "110" }));
    await openPage("/forgot-password");
    fireEvent.change(screen.getByLabelText("Email address"), { target: { value: "ada@example.com" } });
    press("Send link");
    expect((await screen.findByRole("alert")).textContent).toBe(
      "There were too many requests from your network. Wait 2 minutes, then try again.",
    );
  });
});
