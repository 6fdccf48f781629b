import { fireEvent, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { forget } from "@/lib/link-tokens";
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
const banner = () => screen.queryByRole("region", { name: "Confirm your address" });
const linkNames = () => screen.queryAllByRole("link").map((link) => link.textContent);

beforeEach(() => forget("/verify-email"));

describe("an address that is not confirmed", () => {
  beforeEach(() => {
    service.answer(ME, unconfirmed);
    service.answer("GET /v1/me/notices", json({ items: [] }));
  });

  it("is named on every page, with a way to a new link", async () => {
    service.answer(SEND, accepted);
    await openPage("/settings/notifications");
    expect(banner()?.textContent).toContain("open the link in our mail to anna@example.com.");
    fireEvent.click(sendButton());
    const outcome = await screen.findByText(/A new link is on its way to/);
    expect(outcome.textContent).toContain("anna@example.com");
    expect(document.activeElement).toBe(outcome.closest("[role=status]"));
    expect(service.count(SEND)).toBe(1);
  });

  it("is not named once it is confirmed", async () => {
    service.answer(ME, confirmed);
    await openPage("/settings/notifications");
    expect(banner()).toBeNull();
  });

  it("was confirmed elsewhere meanwhile, and so is asked about no more", async () => {
    service.answer(ME, unconfirmed, confirmed);
    service.answer(SEND, failWith(409, "conflict"));
    await openPage("/settings/notifications");
    fireEvent.click(sendButton());
    await screen.findByText("Your address is confirmed already");
    await waitFor(() => expect(banner()).toBeNull());
  });

  it("says how long to wait, and can be asked about again after a failure", async () => {
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
      "We have sent you several links already. Wait 25 minutes, then try again.",
    );
    fireEvent.click(sendButton());
    await screen.findByText("The service cannot be reached. Check your connection.");
    fireEvent.click(sendButton());
    await screen.findByText(/A new link is on its way to/);
  });
});

describe("a link that confirms nothing", () => {
  const openTrouble = async (status: number, code: string) => {
    service.answer(VERIFY, failWith(status, code));
    const page = await openPage("/verify-email#token=abc");
    fireEvent.click(screen.getByRole("button", { name: "Confirm this address" }));
    await screen.findByRole("alert");
    await waitFor(() => expect(page.queries.isFetching()).toBe(0));
  };

  it.each([
    [410, "link_expired"],
    [404, "link_invalid"],
    [410, "link_used"],
  ])("is replaced at once for who is signed in: %i %s", async (status, code) => {
    service.answer(ME, unconfirmed);
    service.answer(SEND, accepted);
    await openTrouble(status, code);
    await screen.findByRole("button", { name: "Send a new link" });
    fireEvent.click(sendButton());
    await screen.findByText(/A new link is on its way to/);
  });

  it.each([
    [410, "link_expired", "Sign in for a new link"],
    [404, "link_invalid", "Sign in for a new link"],
    [410, "link_used", "Go to your devices"],
  ])("leads through the sign-in for everybody else: %i %s", async (status, code, way) => {
    service.answer(ME, failWith(401, "not_authenticated"));
    await openTrouble(status, code);
    await waitFor(() => expect(linkNames()).toContain(way));
    expect(screen.queryByRole("button", { name: "Send a new link" })).toBeNull();
  });

  it("needs no other once the address is confirmed", async () => {
    service.answer(ME, confirmed);
    await openTrouble(410, "link_used");
    expect(service.count(ME)).toBe(1);
    expect(screen.queryByRole("button", { name: "Send a new link" })).toBeNull();
    expect(linkNames()).toContain("Go to your devices");
  });
});
