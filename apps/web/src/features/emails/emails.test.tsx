import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Email, EmailDetail } from "@/client/types.gen";
import { failWith, json, service } from "@/testing/fake-service";
import { openPage } from "@/testing/open-page";
import { eventWords, isOnItsWay, STATUSES, whyNotAgain } from "./status-labels";
import { STATUS_NAMES } from "./statuses";

const PATH = "/v1/emails";
const PAGE = "/settings/emails";
const [FIRST, SECOND, THIRD] = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}`) as [
  string,
  string,
  string,
];

const message = (id: string, more: Partial<Email> = {}): Email => ({
  id,
  template: "welcome",
  version: 0,
  locale: "en",
  to: `ada${id.at(-1)}@acme.com`,
  subject: `Subject ${id.at(-1)}`,
  status: "delivered",
  created_at: "2026-01-01T00:00:00Z",
  send_at: null,
  expires_at: null,
  attempts: 1,
  last_error: null,
  provider: "resend",
  provider_id: "re_1",
  queued_by: "application",
  resend_of: null,
  ...more,
});
const whole = (id: string, more: Partial<EmailDetail> = {}): EmailDetail => ({
  ...message(id),
  reply_to: null,
  html: "<p>Hello</p>",
  text: "Hello",
  attachments: [],
  events: [{ at: "2026-01-01T00:00:00Z", type: "queued", detail: { by: "application" } }],
  ...more,
});
const page = (items: Email[], next_cursor: string | null = null) => json({ items, next_cursor });

const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));
const drawer = (name: string) => screen.findByRole("dialog", { name });

beforeEach(() => {
  service.signIn({ role: "admin" });
  service.answer(
    "GET /v1/settings/email-templates",
    json({ items: [{ key: "welcome" }], next_cursor: null }),
  );
  service.answer(`GET ${PATH}`, page([message(FIRST), message(SECOND, { status: "bounced" })]));
  service.answer(`GET ${PATH}/${FIRST}`, json(whole(FIRST)));
});

async function show(href = PAGE) {
  const opened = await openPage(href);
  await screen.findByRole("table");
  return opened;
}

describe("the e-mail log", () => {
  it("keeps its filters in the address", async () => {
    const opened = await show(`${PAGE}?status=bounced&template=gone&q=ada`);
    expect(service.requests).toContain(`GET ${PATH}?status=bounced&template=gone&q=ada&limit=30`);
    expect((screen.getByLabelText("Template") as HTMLSelectElement).value).toBe("gone");
    fireEvent.change(screen.getByLabelText("Status"), { target: { value: "" } });
    await waitFor(() => expect(opened.href()).toBe(`${PAGE}?template=gone&q=ada`));
    fireEvent.change(screen.getByLabelText("Search by the beginning of an address"), {
      target: { value: "b" },
    });
    await waitFor(() => expect(service.requests).toContain(`GET ${PATH}?template=gone&q=b&limit=30`));
    fireEvent.change(screen.getByLabelText("Template"), { target: { value: "welcome" } });
    await waitFor(() => expect(opened.href()).toBe(`${PAGE}?template=welcome&q=b`));
  });

  it("takes nothing from the address that cannot be", async () => {
    await show(`${PAGE}?status=nice&template=%3Cb%3E&q=&email=1`);
    expect(service.requests).toContain(`GET ${PATH}?limit=30`);
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("shows more on request, with the focus on the first of it", async () => {
    service.answer(`GET ${PATH}`, page([message(FIRST)], "next"), page([message(THIRD)]));
    await show();
    press("Show more");
    const link = await screen.findByRole("link", { name: "ada3@acme.com" });
    await waitFor(() => expect(document.activeElement).toBe(link));
    expect(service.requests.at(-1)).toBe(`GET ${PATH}?limit=30&cursor=next`);
  });

  it("reads itself again only while something is on its way", async () => {
    await show();
    expect(screen.getByText(/^Read at [\d:]+ [AP]M\.$/)).toBeDefined();
    service.answer(`GET ${PATH}`, page([message(FIRST, { status: "sending" })]));
    press("Reload");
    await screen.findByText(/read again by itself while mail is on its way/);
  });

  it.each([
    [failWith(403, "forbidden"), "The e-mail log can be seen by administrators only."],
    [failWith(400, "broken"), "The e-mail log could not be loaded. Error: broken."],
  ])("is explained where it cannot be seen", async (answer, sentence) => {
    service.answer(`GET ${PATH}`, answer);
    await openPage(PAGE);
    expect((await screen.findByRole("alert")).textContent).toBe(sentence);
  });

  it("says that there is nothing, or nothing like it", async () => {
    service.answer(`GET ${PATH}`, page([]));
    const first = await openPage(PAGE);
    await screen.findByText("No message has been queued yet.");
    first.unmount();
    await openPage(`${PAGE}?status=failed`);
    await screen.findByText("No message is like that.");
  });
});

describe("a message", () => {
  it("opens from its row, and gives the focus back to it", async () => {
    const opened = await show();
    fireEvent.click(screen.getByRole("link", { name: "ada1@acme.com" }));
    await drawer("Subject 1");
    expect(opened.href()).toBe(`${PAGE}?email=${FIRST}`);
    press("Close");
    await waitFor(() => expect(opened.href()).toBe(PAGE));
    expect(document.activeElement).toBe(screen.getByRole("link", { name: "ada1@acme.com" }));
    await act(async () => opened.router.history.back());
    await drawer("Subject 1");
  });

  it("tells what is known, what happened and what it said", async () => {
    const events = [
      { at: "2026-01-01T00:00:00Z", type: "queued", detail: { by: "shell" } },
      { at: "2026-01-01T00:00:01Z", type: "accepted", detail: { provider: "resend" } },
      { at: "2026-01-01T00:00:02Z", type: "bounced", detail: { words: "No such mailbox." } },
    ];
    const attachments = [{ filename: "a.pdf", content_type: "application/pdf", size: 2100 }];
    service.answer(`GET ${PATH}/${FIRST}`, json(whole(FIRST, { version: 2, attachments, events })));
    await show(`${PAGE}?email=${FIRST}`);
    const shown = within(await drawer("Subject 1"));
    expect(shown.getByRole("link", { name: "welcome" }).getAttribute("href")).toBe(
      "/settings/email-templates/welcome",
    );
    expect(shown.getByText(/version 2, in English/)).toBeDefined();
    expect(shown.getByText("a.pdf (2 KB)")).toBeDefined();
    const steps = within(shown.getByRole("list", { name: "What happened" })).getAllByRole("listitem");
    expect(steps.map((step) => step.firstElementChild?.textContent)).toEqual([
      "Queued",
      "Handed to Resend",
      "Bounced",
    ]);
    expect(steps[0]?.textContent).toContain("The shell, ");
    expect(steps[2]?.textContent).toContain("No such mailbox.");
    const frame = shown.getByTitle<HTMLIFrameElement>("HTML of “Subject 1”");
    expect([frame.getAttribute("sandbox"), frame.getAttribute("src")]).toEqual([
      "",
      `/v1/emails/${FIRST}/html`,
    ]);
    fireEvent.click(shown.getByRole("tab", { name: "Text" }));
    expect(shown.getByRole("tabpanel").textContent).toBe("Hello");
  });

  it.each([
    [{ subject: null, html: null, status: "queued" }, /put into words when it goes out/],
    [{ subject: null, html: null, status: "suppressed" }, /ended before it was put into words/],
    [{ html: null }, /security mail with links or codes/],
    [{ queued_by: "gatepost" }, /its code is not kept/],
  ] as [Partial<EmailDetail>, RegExp][])("says what is not there, and why: %o", async (more, sentence) => {
    service.answer(`GET ${PATH}/${FIRST}`, json(whole(FIRST, more)));
    await show(`${PAGE}?email=${FIRST}`);
    await screen.findByText(sentence);
  });

  it("is sent again after a question, and leads to the new one", async () => {
    service.answer(`POST ${PATH}/${FIRST}/resend`, json(message(THIRD)));
    service.answer(`GET ${PATH}/${THIRD}`, json(whole(THIRD, { resend_of: FIRST })));
    const opened = await show(`${PAGE}?email=${FIRST}`);
    fireEvent.click(await screen.findByRole("button", { name: "Send again" }));
    const question = await screen.findByRole("dialog", { name: "Send this message again?" });
    expect(service.bodies).toEqual([]);
    fireEvent.click(within(question).getByRole("button", { name: "Send again" }));
    fireEvent.click(await screen.findByRole("button", { name: "Show the new message" }));
    await drawer("Subject 3");
    expect(opened.href()).toBe(`${PAGE}?email=${THIRD}`);
    expect(screen.getByRole("link", { name: "an earlier message" }).getAttribute("href")).toBe(
      `${PAGE}?email=${FIRST}`,
    );
  });

  it("says where nothing is sent to its address any more", async () => {
    service.answer(`POST ${PATH}/${FIRST}/resend`, failWith(409, "recipient_suppressed"));
    await show(`${PAGE}?email=${FIRST}`);
    fireEvent.click(await screen.findByRole("button", { name: "Send again" }));
    const question = await screen.findByRole("dialog", { name: "Send this message again?" });
    fireEvent.click(within(question).getByRole("button", { name: "Send again" }));
    const link = await screen.findByRole("link", { name: "Look at the suppressions" });
    expect(link.getAttribute("href")).toBe("/settings/suppressions?q=ada1%40acme.com");
  });

  it("is taken back while it waits", async () => {
    const waiting = { status: "scheduled", send_at: "2999-01-01T00:00:00Z" } as const;
    service.answer(
      `GET ${PATH}/${FIRST}`,
      json(whole(FIRST, waiting)),
      json(whole(FIRST, { status: "canceled" })),
    );
    service.answer(`POST ${PATH}/${FIRST}/cancel`, json(message(FIRST, { status: "canceled" })));
    await show(`${PAGE}?email=${FIRST}`);
    fireEvent.click(await screen.findByRole("button", { name: "Cancel this message" }));
    press("Cancel the message");
    await screen.findByText("This message is taken back. It is not sent.");
    await waitFor(() => expect(screen.queryByRole("button", { name: "Cancel this message" })).toBeNull());
    expect(screen.getByRole("button", { name: "Send again" })).toBeDefined();
  });

  it.each([
    [failWith(404, "not_found"), "There is no such message, or none any more."],
    [failWith(400, "broken"), "Error: broken."],
  ])("that cannot be shown is said to be so", async (answer, sentence) => {
    service.answer(`GET ${PATH}/${SECOND}`, answer);
    await show(`${PAGE}?email=${SECOND}`);
    expect((await screen.findByRole("alert")).textContent).toBe(sentence);
    await drawer("This message cannot be shown");
  });
});

describe("words", () => {
  it("are there for every status, and none twice", () => {
    expect(Object.keys(STATUSES).toSorted()).toEqual(STATUS_NAMES.toSorted());
    expect(new Set(Object.values(STATUSES).map(({ word }) => word)).size).toBe(STATUS_NAMES.length);
  });

  it("are those of the service where it says what we do not know", () =>
    expect(eventWords({ at: "", type: "new-thing", detail: {} })).toBe("new-thing"));

  it.each([
    [{ status: "queued" }, true],
    [{ status: "sending" }, true],
    [{ status: "scheduled", send_at: "2026-01-01T00:00:30Z" }, true],
    [{ status: "scheduled", send_at: "2026-01-02T00:00:00Z" }, false],
    [{ status: "sent", created_at: "2025-12-31T23:59:00Z" }, true],
    [{ status: "sent", created_at: "2025-12-31T23:00:00Z" }, false],
    [{ status: "sent", created_at: "2025-12-31T23:59:00Z", provider: "capture" }, false],
    [{ status: "delivered" }, false],
  ] as [Partial<Email>, boolean][])("know what is on its way: %o", (more, wanted) =>
    expect(isOnItsWay(message(FIRST, more), Date.parse("2026-01-01T00:00:00Z"))).toBe(wanted),
  );

  it.each([
    [{}, null],
    [{ status: "queued" }, /on its way/],
    [{ version: null }, /test of a template/],
    [{ html: null }, /erased/],
    [{ expires_at: "2025-01-01T00:00:00Z" }, /time is over/],
  ] as [Partial<EmailDetail>, RegExp | null][])("know what can be sent again: %o", (more, wanted) => {
    const why = whyNotAgain(whole(FIRST, more));
    if (wanted) expect(why).toMatch(wanted);
    else expect(why).toBeNull();
  });
});
