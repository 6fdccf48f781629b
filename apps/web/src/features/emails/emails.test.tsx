import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Email, EmailDetail } from "@/client/types.gen";
import { failWith, json, service } from "@/testing/fake-service";
import { openPage } from "@/testing/open-page";
import { isInProgress, whyNotResendable } from "./email-state";
import { eventLabel, STATUS_NAMES, STATUSES } from "./status-labels";

const PATH = "/v1/emails";
const PAGE = "/settings/emails";
const [FIRST, SECOND, THIRD] = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}`) as [
  string,
  string,
  string,
];

const email = (id: string, more: Partial<Email> = {}): Email => ({
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
  content_hidden: false,
  ...more,
});
const detail = (id: string, more: Partial<EmailDetail> = {}): EmailDetail => ({
  ...email(id),
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
  service.answer(`GET ${PATH}`, page([email(FIRST), email(SECOND, { status: "bounced" })]));
  service.answer(`GET ${PATH}/${FIRST}`, json(detail(FIRST)));
});

async function show(href = PAGE) {
  const opened = await openPage(href);
  await screen.findByRole("table");
  return opened;
}

describe("the email log", () => {
  it("has its filters in the URL", async () => {
    const opened = await show(`${PAGE}?status=bounced&template=gone&q=ada`);
    expect(service.requests).toContain(`GET ${PATH}?status=bounced&template=gone&q=ada&limit=30`);
    expect((screen.getByLabelText("Template") as HTMLSelectElement).value).toBe("gone");
    fireEvent.change(screen.getByLabelText("Status"), { target: { value: "" } });
    await waitFor(() => expect(opened.href()).toBe(`${PAGE}?template=gone&q=ada`));
    fireEvent.change(screen.getByLabelText("Search by recipient"), {
      target: { value: "b" },
    });
    await waitFor(() => expect(service.requests).toContain(`GET ${PATH}?template=gone&q=b&limit=30`));
    fireEvent.change(screen.getByLabelText("Template"), { target: { value: "welcome" } });
    await waitFor(() => expect(opened.href()).toBe(`${PAGE}?template=welcome&q=b`));
  });

  it("ignores invalid values in the URL", async () => {
    await show(`${PAGE}?status=nice&template=%3Cb%3E&q=&email=1`);
    expect(service.requests).toContain(`GET ${PATH}?limit=30`);
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("shows more emails on request, and focuses the first of them", async () => {
    service.answer(`GET ${PATH}`, page([email(FIRST)], "next"), page([email(THIRD)]));
    await show();
    press("Show more");
    const link = await screen.findByRole("link", { name: "ada3@acme.com" });
    await waitFor(() => expect(document.activeElement).toBe(link));
    expect(service.requests.at(-1)).toBe(`GET ${PATH}?limit=30&cursor=next`);
  });

  it("updates automatically only while an email is in progress", async () => {
    await show();
    expect(screen.getByText(/^Updated at [\d:]+ [AP]M\.$/)).toBeDefined();
    service.answer(`GET ${PATH}`, page([email(FIRST, { status: "sending" })]));
    press("Reload");
    await screen.findByText(/Updates automatically while emails are being sent/);
  });

  it.each([
    [failWith(403, "forbidden"), "The email log can only be seen by admins."],
    [failWith(400, "broken"), "The email log could not be loaded. Error: broken."],
  ])("explains why it cannot be seen", async (answer, message) => {
    service.answer(`GET ${PATH}`, answer);
    await openPage(PAGE);
    expect((await screen.findByRole("alert")).textContent).toBe(message);
  });

  it("says that it is empty, or that nothing matches", async () => {
    service.answer(`GET ${PATH}`, page([]));
    const first = await openPage(PAGE);
    await screen.findByText("No email has been queued yet.");
    first.unmount();
    await openPage(`${PAGE}?status=failed`);
    await screen.findByText("No email matches these filters.");
  });
});

describe("an email", () => {
  it("opens from its row, and returns the focus to it", async () => {
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

  it("shows its properties, its events and its content", async () => {
    const events = [
      { at: "2026-01-01T00:00:00Z", type: "queued", detail: { by: "cli" } },
      { at: "2026-01-01T00:00:01Z", type: "accepted", detail: { provider: "resend" } },
      { at: "2026-01-01T00:00:02Z", type: "bounced", detail: { message: "No such mailbox." } },
    ];
    const attachments = [{ filename: "a.pdf", content_type: "application/pdf", size: 2100 }];
    service.answer(`GET ${PATH}/${FIRST}`, json(detail(FIRST, { version: 2, attachments, events })));
    await show(`${PAGE}?email=${FIRST}`);
    const shown = within(await drawer("Subject 1"));
    expect(shown.getByRole("link", { name: "welcome" }).getAttribute("href")).toBe(
      "/settings/email-templates/welcome",
    );
    expect(shown.getByText(/version 2, in English/)).toBeDefined();
    expect(shown.getByText("a.pdf (2 KB)")).toBeDefined();
    const steps = within(shown.getByRole("list", { name: "Events" })).getAllByRole("listitem");
    expect(steps.map((step) => step.firstElementChild?.textContent)).toEqual([
      "Queued",
      "Accepted by Resend",
      "Bounced",
    ]);
    expect(steps[0]?.textContent).toContain("The command line, ");
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
    [{ subject: null, html: null, status: "queued" }, /rendered when the email is sent/],
    [{ subject: null, html: null, status: "suppressed" }, /ended before its template was rendered/],
    [{ subject: null, html: null, content_hidden: true }, /links or codes that grant access/],
    [{ queued_by: "gatepost" }, /their codes are not stored/],
  ] as [Partial<EmailDetail>, RegExp][])("explains why content is missing: %o", async (more, message) => {
    service.answer(`GET ${PATH}/${FIRST}`, json(detail(FIRST, more)));
    await show(`${PAGE}?email=${FIRST}`);
    await screen.findByText(message);
  });

  it("is sent again after a confirmation, with a link to the new one", async () => {
    service.answer(`POST ${PATH}/${FIRST}/resend`, json(email(THIRD)));
    service.answer(`GET ${PATH}/${THIRD}`, json(detail(THIRD, { resend_of: FIRST })));
    const opened = await show(`${PAGE}?email=${FIRST}`);
    fireEvent.click(await screen.findByRole("button", { name: "Send this email again" }));
    const question = await screen.findByRole("dialog", { name: "Send this email again?" });
    expect(service.bodies).toEqual([]);
    fireEvent.click(within(question).getByRole("button", { name: "Send again" }));
    fireEvent.click(await screen.findByRole("button", { name: "Show the new email" }));
    await drawer("Subject 3");
    expect(opened.href()).toBe(`${PAGE}?email=${THIRD}`);
    expect(screen.getByRole("link", { name: "an earlier email" }).getAttribute("href")).toBe(
      `${PAGE}?email=${FIRST}`,
    );
  });

  it("says that its recipient is suppressed", async () => {
    service.answer(`POST ${PATH}/${FIRST}/resend`, failWith(409, "recipient_suppressed"));
    await show(`${PAGE}?email=${FIRST}`);
    fireEvent.click(await screen.findByRole("button", { name: "Send this email again" }));
    const question = await screen.findByRole("dialog", { name: "Send this email again?" });
    fireEvent.click(within(question).getByRole("button", { name: "Send again" }));
    const link = await screen.findByRole("link", { name: "Show suppressions" });
    expect(link.getAttribute("href")).toBe("/settings/suppressions?q=ada1%40acme.com");
  });

  it("can be canceled before it is sent", async () => {
    const scheduled = { status: "scheduled", send_at: "2999-01-01T00:00:00Z" } as const;
    service.answer(
      `GET ${PATH}/${FIRST}`,
      json(detail(FIRST, scheduled)),
      json(detail(FIRST, { status: "canceled" })),
    );
    service.answer(`POST ${PATH}/${FIRST}/cancel`, json(email(FIRST, { status: "canceled" })));
    await show(`${PAGE}?email=${FIRST}`);
    fireEvent.click(await screen.findByRole("button", { name: "Cancel this email" }));
    press("Cancel email");
    await screen.findByText("This email was canceled and will not be sent.");
    await waitFor(() => expect(screen.queryByRole("button", { name: "Cancel this email" })).toBeNull());
    expect(screen.getByRole("button", { name: "Send this email again" })).toBeDefined();
  });

  it.each([
    [failWith(404, "not_found"), "This email does not exist, or was deleted."],
    [failWith(400, "broken"), "This email could not be loaded. Error: broken."],
  ])("explains why it cannot be shown", async (answer, message) => {
    service.answer(`GET ${PATH}/${SECOND}`, answer);
    await show(`${PAGE}?email=${SECOND}`);
    expect((await screen.findByRole("alert")).textContent).toBe(message);
    await drawer("Email not available");
  });
});

describe("labels", () => {
  it("are different for every status", () => {
    expect(STATUS_NAMES).toHaveLength(13);
    expect(new Set(Object.values(STATUSES).map(({ label }) => label)).size).toBe(STATUS_NAMES.length);
  });

  it("are the type itself for an unknown event", () =>
    expect(eventLabel({ at: "", type: "new-thing", detail: {} })).toBe("new-thing"));
});

describe("the state of an email", () => {
  it.each([
    [{ status: "queued" }, true],
    [{ status: "sending" }, true],
    [{ status: "scheduled", send_at: "2026-01-01T00:00:30Z" }, true],
    [{ status: "scheduled", send_at: "2026-01-02T00:00:00Z" }, false],
    [{ status: "sent", created_at: "2025-12-31T23:59:00Z" }, true],
    [{ status: "sent", created_at: "2025-12-31T23:00:00Z" }, false],
    [{ status: "sent", created_at: "2025-12-31T23:59:00Z", provider: "capture" }, false],
    [{ status: "delivered" }, false],
  ] as [Partial<Email>, boolean][])("says whether it is in progress: %o", (more, expected) =>
    expect(isInProgress(email(FIRST, more), Date.parse("2026-01-01T00:00:00Z"))).toBe(expected),
  );

  it.each([
    [{}, null],
    [{ status: "queued" }, /not been sent yet/],
    [{ version: null }, /test of a template/],
    [{ content_hidden: true }, /erased/],
    [{ expires_at: "2025-01-01T00:00:00Z" }, /has expired/],
  ] as [Partial<EmailDetail>, RegExp | null][])("says whether it can be sent again: %o", (more, expected) => {
    const why = whyNotResendable(detail(FIRST, more));
    if (expected) expect(why).toMatch(expected);
    else expect(why).toBeNull();
  });
});
