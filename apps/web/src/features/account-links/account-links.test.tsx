import { act, cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { forget } from "@/lib/link-tokens";
import { failWith, json, noContent, problem, service, unreachable } from "@/testing/fake-service";
import { openPage } from "@/testing/open-page";
import { REPORT } from "./stored-report";

const NOT_ME = "POST /v1/sessions/not-me";
const RESET = "POST /v1/auth/password/reset";
const VERIFY = "POST /v1/auth/email/verify";
const FORGOT = "POST /v1/auth/password/forgot";

const button = (name: string) => screen.getByRole("button", { name });
const press = (name: string) => fireEvent.click(button(name));
const linkNames = () => screen.getAllByRole("link").map((link) => link.textContent);

function choose(password: string) {
  fireEvent.change(screen.getByLabelText("New password"), { target: { value: password } });
  press("Set new password");
}

beforeEach(() => {
  for (const name of ["/not-me", "/reset-password", "/verify-email", REPORT]) forget(name);
});

describe.each([
  { path: "/not-me", request: NOT_ME, name: "Sign out every device" },
  { path: "/verify-email", request: VERIFY, name: "Confirm this address" },
])("$path", ({ path, request, name }) => {
  it("does nothing before the press, and its address is without the token", async () => {
    const page = await openPage(`${path}#token=abc`);
    expect(page.href()).toBe(path);
    expect(page.router.history.length).toBe(1);
    expect(button(name)).toBeDefined();
    expect(service.requests).toEqual([]);
  });

  it("keeps the token over a reload", async () => {
    await openPage(`${path}#token=abc`);
    cleanup();
    service.answer(request, unreachable);
    await openPage(path);
    press(name);
    await screen.findByRole("alert");
    expect(service.bodies).toEqual([{ token: "abc" }]);
  });

  it("takes the token of a newer link that is opened in the same tab", async () => {
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

  it("sends a double press once", async () => {
    await openPage(`${path}#token=abc`);
    const give = service.hold(request);
    press(name);
    press(name);
    await waitFor(() => expect(service.count(request)).toBe(1));
    give(problem(503, "service_unavailable"));
    await screen.findByRole("alert");
    expect(service.count(request)).toBe(1);
  });

  it.each([
    ["offline", unreachable, "The service cannot be reached. Check your connection."],
    ["the service is away", failWith(503, "service_unavailable"), "Error: service_unavailable."],
    ["there were too many", failWith(429, "rate_limited"), "Error: rate_limited."],
  ])("can be pressed again when %s", async (_, answer, sentence) => {
    service.answer(request, answer, failWith(410, "link_used"));
    await openPage(`${path}#token=abc`);
    press(name);
    expect((await screen.findByRole("alert")).textContent).toBe(sentence);
    press(name);
    await screen.findByText(/used before/);
    expect(service.bodies).toEqual([{ token: "abc" }, { token: "abc" }]);
  });

  it.each([
    ["link_invalid", 404, /not whole/],
    ["link_expired", 410, /too old/],
    ["link_used", 410, /used before/],
  ])("says what %s means, and where to go", async (code, status, sentence) => {
    service.answer(request, failWith(status, code));
    await openPage(`${path}#token=abc`);
    press(name);
    expect((await screen.findByRole("alert")).textContent).toMatch(sentence);
    expect(screen.queryByRole("button", { name })).toBeNull();
    expect(linkNames()).toContain("Go to your devices");
  });

  it("without a token says so", async () => {
    await openPage(path);
    expect(screen.getByRole("alert").textContent).toMatch(/link from our mail/);
    expect(screen.queryByRole("button", { name })).toBeNull();
  });
});

describe("not me", () => {
  it.each([
    [0, "Done: no device was signed in any more."],
    [1, "Done: 1 device was signed out."],
    [3, "Done: 3 devices were signed out."],
  ])("says how many devices were signed out: %i", async (revoked, sentence) => {
    service.answer(NOT_ME, json({ revoked, reset_token: "fresh" }));
    await openPage("/not-me#token=abc");
    press("Sign out every device");
    const outcome = await screen.findByRole("status");
    expect(outcome.textContent).toBe(sentence);
    expect(document.activeElement).toBe(outcome);
  });

  it("leads on to a new password, over a reload too, and keeps nothing after that", async () => {
    service.answer(NOT_ME, json({ revoked: 3, reset_token: "fresh" }));
    service.answer(RESET, noContent);
    await openPage("/not-me#token=abc");
    press("Sign out every device");
    await screen.findByLabelText("New password");
    cleanup();
    await openPage("/not-me");
    expect(screen.getByRole("status").textContent).toBe("Done: 3 devices were signed out.");
    choose("quite long enough");
    await screen.findByText("Your password is changed. Every device was signed out.");
    expect(service.bodies).toEqual([{ token: "abc" }, { token: "fresh", password: "quite long enough" }]);
    expect(linkNames()).toEqual(["Sign in"]);
    expect(sessionStorage).toHaveLength(0);
  });

  it("asks about a newer link, whatever an older one has done", async () => {
    service.answer(NOT_ME, json({ revoked: 3, reset_token: "fresh" }));
    await openPage("/not-me#token=abc");
    press("Sign out every device");
    await screen.findByRole("status");
    cleanup();
    await openPage("/not-me#token=newer");
    expect(button("Sign out every device")).toBeDefined();
  });

  it("shows the way to a new link when the time for the new password is over", async () => {
    service.answer(NOT_ME, json({ revoked: 3, reset_token: "fresh" }));
    service.answer(RESET, failWith(410, "link_expired"));
    await openPage("/not-me#token=abc");
    press("Sign out every device");
    await screen.findByLabelText("New password");
    choose("quite long enough");
    await screen.findByRole("alert");
    expect(linkNames()).toEqual(["Ask for a new link", "Sign in"]);
  });
});

describe("a new password", () => {
  it("is set once, and the person signs in with it", async () => {
    service.answer(RESET, noContent);
    await openPage("/reset-password#token=abc");
    choose("quite long enough");
    press("Set new password");
    await screen.findByText("Your password is changed. Every device was signed out.");
    expect(service.bodies).toEqual([{ token: "abc", password: "quite long enough" }]);
    expect(sessionStorage).toHaveLength(0);
  });

  it("is told beside its field when it will not do, and can be mended", async () => {
    const errors = [{ loc: ["body", "password"], msg: "Too easy.", type: "x" }];
    service.answer(RESET, () => problem(422, "validation_failed", { errors }), noContent);
    await openPage("/reset-password#token=abc");
    choose("password");
    const field = screen.getByLabelText("New password");
    await waitFor(() => expect(field.getAttribute("aria-invalid")).toBe("true"));
    expect(document.activeElement).toBe(field);
    expect(screen.queryByRole("alert")).toBeNull();
    choose("quite long enough");
    await screen.findByText("Your password is changed. Every device was signed out.");
  });

  it.each(["link_invalid", "link_expired", "link_used"])("needs a new link after %s", async (code) => {
    service.answer(RESET, failWith(code === "link_invalid" ? 404 : 410, code));
    await openPage("/reset-password#token=abc");
    choose("quite long enough");
    await screen.findByRole("alert");
    expect(linkNames()).toEqual(["Ask for a new link", "Sign in"]);
  });

  it("keeps what was typed while the service is away", async () => {
    service.answer(RESET, unreachable);
    await openPage("/reset-password#token=abc");
    choose("quite long enough");
    await screen.findByRole("alert");
    expect((screen.getByLabelText("New password") as HTMLInputElement).value).toBe("quite long enough");
  });
});

it("thanks for a confirmed address", async () => {
  service.answer(VERIFY, noContent);
  await openPage("/verify-email#token=abc");
  press("Confirm this address");
  expect((await screen.findByRole("status")).textContent).toBe("Thank you: this address is confirmed.");
  expect(sessionStorage).toHaveLength(0);
});

describe("a forgotten password", () => {
  it("takes along the address that was typed, but not in the address bar", async () => {
    service.answer(FORGOT, () => new Response(null, { status: 202 }));
    const page = await openPage("/login");
    fireEvent.change(screen.getByLabelText("E-mail address"), { target: { value: "ada@example.com" } });
    fireEvent.click(screen.getByRole("link", { name: "Forgot your password?" }));
    await screen.findByRole("button", { name: "Send a link" });
    expect(page.href()).toBe("/forgot-password");
    press("Send a link");
    const outcome = await screen.findByRole("status");
    expect(outcome.textContent).toBe("If there is an account with this address, a mail is on its way.");
    expect(service.bodies).toEqual([{ email: "ada@example.com" }]);
  });

  it("says how long to wait after too many requests", async () => {
    service.answer(FORGOT, () => problem(429, "rate_limited", {}, { "retry-after": "110" }));
    await openPage("/forgot-password");
    fireEvent.change(screen.getByLabelText("E-mail address"), { target: { value: "ada@example.com" } });
    press("Send a link");
    expect((await screen.findByRole("alert")).textContent).toBe(
      "There were too many requests from your network. Wait 2 minutes, then try again.",
    );
  });
});
