import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { failWith, json, service } from "@/testing/fake-service";
import { openPage } from "@/testing/open-page";

const LIST = "GET /v1/mailbox";

const [FIRST, SECOND, THIRD] = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}`) as [
  string,
  string,
  string,
];
const summary = (id: string) => ({
  id,
  to: "ada@example.com",
  subject: `Subject ${id.at(-1)}`,
  created_at: "2026-01-01T00:00:00Z",
  template: "new-device",
});
const detail = (id: string) => ({
  ...summary(id),
  sender: "Acme <no-reply@acme.com>",
  reply_to: null,
  headers: { "Message-ID": "<1@acme.com>" },
  html: '<p style="color:red"><a href="https://a.example/not-me#token=x">Not me</a></p>',
  text: "Not you? https://a.example/not-me#token=x.",
  source: "MIME-Version: 1.0",
});
const page = (ids: string[], next_cursor: string | null = null) =>
  json({ items: ids.map(summary), next_cursor });

const list = () => screen.getByRole("list", { name: "Emails, newest first" });
const rows = () => within(list()).getAllByRole("link");
const tab = (name: string) => screen.getByRole("tab", { name });

beforeEach(() => {
  service.signIn({ role: "admin" });
  service.answer(`GET /v1/mailbox/${FIRST}`, json(detail(FIRST)));
});

describe("the mailbox", () => {
  it("shows more emails on request, and focuses the first of them", async () => {
    service.answer(LIST, page([FIRST, SECOND], "next"), page([THIRD]));
    await openPage("/mailbox");
    await screen.findByText("Subject 2");
    fireEvent.click(screen.getByRole("button", { name: "Show more" }));
    await screen.findByText("Subject 3");
    expect(rows()).toHaveLength(3);
    await waitFor(() => expect(document.activeElement).toBe(rows()[2]));
    expect(screen.queryByRole("button", { name: "Show more" })).toBeNull();
    expect(service.requests.at(-1)).toBe(`${LIST}?limit=30&cursor=next`);
  });

  it("shows new emails when it is reloaded", async () => {
    service.answer(LIST, page([]), page([FIRST]));
    await openPage("/mailbox");
    await screen.findByText(/No email yet/);
    fireEvent.click(screen.getByRole("button", { name: "Reload" }));
    await screen.findByText("Subject 1");
  });

  it("keeps the emails when a reload fails", async () => {
    service.answer(LIST, page([FIRST]), failWith(400, "broken"));
    await openPage("/mailbox");
    await screen.findByText("Subject 1");
    fireEvent.click(screen.getByRole("button", { name: "Reload" }));
    expect((await screen.findByRole("alert")).textContent).toBe(
      "The mailbox could not be reloaded. Error: broken.",
    );
    expect(rows()).toHaveLength(1);
  });

  it.each([
    [failWith(404, "not_found"), /this service sends its email/],
    [failWith(403, "forbidden"), /can only be seen by admins/],
    [failWith(403, "forbidden"), "Error: forbidden."],
    [failWith(400, "broken"), /could not be loaded. Error: broken/],
  ])("explains why it is not there", async (answer, message) => {
    service.answer(LIST, answer);
    await openPage("/mailbox");
    expect((await screen.findByRole("alert")).textContent).toMatch(message);
  });

  it("is in the mail menu, which only admins have", async () => {
    service.answer(LIST, page([]));
    const first = await openPage("/mailbox");
    fireEvent.click(screen.getByRole("button", { name: "Mail" }));
    const item = await screen.findByRole("menuitem", { name: "Mailbox" });
    expect(item.getAttribute("href")).toBe("/mailbox");
    expect(item.getAttribute("aria-current")).toBe("page");
    first.unmount();
    service.signIn({ role: "user" });
    await openPage("/mailbox");
    expect(screen.queryByRole("button", { name: "Mail" })).toBeNull();
  });
});

describe("an email", () => {
  beforeEach(() => service.answer(LIST, page([FIRST, SECOND])));

  it("opens from the list, and going back returns to its row", async () => {
    const opened = await openPage("/mailbox");
    await screen.findByText("Subject 1");
    fireEvent.click(rows()[0] as HTMLElement);
    await screen.findByRole("tablist");
    expect(opened.href()).toBe(`/mailbox?email=${FIRST}`);
    expect(rows()[0]?.getAttribute("aria-current")).toBe("page");
    await act(async () => opened.router.history.back());
    await waitFor(() => expect(screen.queryByRole("tablist")).toBeNull());
    expect(document.activeElement).toBe(rows()[0]);
  });

  it("is in a sandboxed frame, with its links below", async () => {
    await openPage(`/mailbox?email=${FIRST}`);
    const frame = await screen.findByTitle<HTMLIFrameElement>("HTML of “Subject 1”");
    expect(frame.getAttribute("sandbox")).toBe("");
    expect(frame.getAttribute("src")).toBe(`/v1/mailbox/${FIRST}/html`);
    expect(frame.hasAttribute("srcdoc")).toBe(false);
    const link = screen.getByRole("link", { name: /^Not me/ });
    expect(link.getAttribute("href")).toBe("https://a.example/not-me#token=x");
    expect(link.getAttribute("rel")).toBe("noopener noreferrer");
  });

  it("has tabs for its text, its source and its headers", async () => {
    await openPage(`/mailbox?email=${FIRST}`);
    await screen.findByRole("tablist");
    tab("HTML").focus();
    fireEvent.keyDown(tab("HTML"), { key: "ArrowRight" });
    await waitFor(() => expect(document.activeElement).toBe(tab("Text")));
    expect(screen.getByRole("tabpanel", { name: "Text" }).textContent).toBe(
      "Not you? https://a.example/not-me#token=x.",
    );
    expect(screen.getByRole("link", { name: /token/ }).getAttribute("href")).toBe(
      "https://a.example/not-me#token=x",
    );
    fireEvent.keyDown(tab("Text"), { key: "End" });
    await waitFor(() => expect(document.activeElement).toBe(tab("Headers")));
    expect(screen.getByRole("tabpanel", { name: "Headers" }).textContent).toContain("<1@acme.com>");
    fireEvent.keyDown(tab("Headers"), { key: "ArrowRight" });
    await waitFor(() => expect(document.activeElement).toBe(tab("HTML")));
    expect(tab("HTML").getAttribute("aria-selected")).toBe("true");
    fireEvent.click(tab("Source"));
    expect(screen.getByRole("tabpanel", { name: "Source" }).textContent).toBe("MIME-Version: 1.0");
  });

  it.each([
    [failWith(404, "not_found"), "The content of this email is no longer stored."],
    [failWith(400, "broken"), "This email could not be loaded. Error: broken."],
  ])("explains why it cannot be shown", async (answer, message) => {
    service.answer(`GET /v1/mailbox/${FIRST}`, answer);
    await openPage(`/mailbox?email=${FIRST}`);
    expect((await screen.findByRole("alert")).textContent).toBe(message);
    expect(screen.getByText("Email not available")).toBeDefined();
  });
});
