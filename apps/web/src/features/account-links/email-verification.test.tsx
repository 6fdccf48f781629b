import { fireEvent, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { removeTabValue } from "@/lib/tab-storage";
import { failWith, json, problem, service, unreachable } from "@/testing/fake-service";
import { openPage } from "@/testing/open-page";

const ME = "GET /v1/me";
const SEND = "POST /v1/auth/email/send-verification";
const USER = { id: "me", email: "anna@example.com", role: "user", user_metadata: {} };
const VERIFY = "POST /v1/auth/email/verify";

const me = (email_verified_at: string | null) => json({ user: { ...USER, email_verified_at }, session: {} });
const unconfirmed = me(null);
const confirmed = me("2026-11-21T10:00:00Z");
const accepted = () => new Response(null, { status: 202 });

const sendButton = () => screen.getByRole("button", { name: "Send a new link" });
const banner = () => screen.queryByRole("region", { name: "Confirm your email address" });
const linkNames = () => screen.queryAllByRole("link").map((link) => link.textContent);

beforeEach(() => removeTabValue("/verify-email"));

describe("an unconfirmed email address", () => {
  beforeEach(() => {
    service.answer(ME, unconfirmed);
    service.answer("GET /v1/me/notifications", json({ items: [] }));
  });

  it("is shown on every page, with a button to send a new link", async () => {
    service.answer(SEND, accepted);
    await openPage("/settings/notifications");
    expect(banner()?.textContent).toContain("open the link in our email to anna@example.com.");
    fireEvent.click(sendButton());
    const result = await screen.findByText(/We sent a new link to/);
    expect(result.textContent).toContain("anna@example.com");
    expect(document.activeElement).toBe(result.closest("[role=status]"));
    expect(service.count(SEND)).toBe(1);
  });

  it("is not shown once it is confirmed", async () => {
    service.answer(ME, confirmed);
    await openPage("/settings/notifications");
    expect(banner()).toBeNull();
  });

  it("is no longer shown when it was confirmed elsewhere in the meantime", async () => {
    service.answer(ME, unconfirmed, confirmed);
    service.answer(SEND, failWith(409, "conflict"));
    await openPage("/settings/notifications");
    fireEvent.click(sendButton());
    await screen.findByText("Your email address is already confirmed");
    await waitFor(() => expect(banner()).toBeNull());
  });

  it("says how long to wait, and the button works again after a failure", async () => {
    service.answer(
      SEND,
      () => problem(429, "rate_limited", {}, { "retry-after": "1500" }),
      unreachable,
      accepted,
    );
    await openPage("/settings/notifications");
    fireEvent.click(sendButton());
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toBe(
      "We have already sent you several links. Wait 25 minutes, then try again.",
    );
    fireEvent.click(sendButton());
    await screen.findByText("The service cannot be reached. Check your connection.");
    fireEvent.click(sendButton());
    await screen.findByText(/We sent a new link to/);
  });
});

describe("a link that does not work", () => {
  const openBrokenLink = async (status: number, code: string) => {
    service.answer(VERIFY, failWith(status, code));
    const page = await openPage("/verify-email#token=abc");
    fireEvent.click(screen.getByRole("button", { name: "Confirm email address" }));
    await screen.findByRole("alert");
    await waitFor(() => expect(page.queryClient.isFetching()).toBe(0));
  };

  it.each([
    [410, "link_expired"],
    [404, "link_invalid"],
    [410, "link_used"],
  ])("is replaced at once for a user who is signed in: %i %s", async (status, code) => {
    service.answer(ME, unconfirmed);
    service.answer(SEND, accepted);
    await openBrokenLink(status, code);
    await screen.findByRole("button", { name: "Send a new link" });
    fireEvent.click(sendButton());
    await screen.findByText(/We sent a new link to/);
  });

  it.each([
    [410, "link_expired", "Sign in to get a new link"],
    [404, "link_invalid", "Sign in to get a new link"],
    [410, "link_used", "Go to your devices"],
  ])("leads through the sign-in for everyone else: %i %s", async (status, code, link) => {
    service.answer(ME, failWith(401, "not_authenticated"));
    await openBrokenLink(status, code);
    await waitFor(() => expect(linkNames()).toContain(link));
    expect(screen.queryByRole("button", { name: "Send a new link" })).toBeNull();
  });

  it("needs no new link once the email address is confirmed", async () => {
    service.answer(ME, confirmed);
    await openBrokenLink(410, "link_used");
    expect(service.count(ME)).toBe(1);
    expect(screen.queryByRole("button", { name: "Send a new link" })).toBeNull();
    expect(linkNames()).toContain("Go to your devices");
  });
});
