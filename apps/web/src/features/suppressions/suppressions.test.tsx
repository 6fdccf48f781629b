import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Suppression } from "@/client/types.gen";
import { failWith, json, noContent, service } from "@/testing/fake-service";
import { openPage } from "@/testing/open-page";

const PATH = "/v1/settings/email-suppressions";
const PAGE = "/settings/suppressions";
const EMAIL_ID = "00000000-0000-4000-8000-000000000009";

const entry = (name: string, more: Partial<Suppression> = {}): Suppression => ({
  id: `id-${name}`,
  email: `${name}@acme.com`,
  reason: "bounce",
  note: "The mailbox does not exist.",
  email_id: EMAIL_ID,
  created_at: "2026-01-01T00:00:00Z",
  created_by: "provider",
  ...more,
});
const list = (items: Suppression[], next_cursor: string | null = null) => json({ items, next_cursor });
const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));
const rows = () => screen.getAllByRole("row").slice(1);

beforeEach(() => {
  service.signIn({ role: "admin" });
  service.answer(`GET ${PATH}`, list([entry("ada"), entry("bob", { reason: "complaint", email_id: null })]));
});

async function show(href = PAGE) {
  const page = await openPage(href);
  await screen.findByRole("table");
  return page;
}

describe("suppressions", () => {
  it("show their reason, who added them, and the email that caused them", async () => {
    await show();
    const [first, second] = rows() as [HTMLElement, HTMLElement];
    expect(first.textContent).toContain("Bounced");
    expect(first.textContent).toContain("The email provider");
    const link = within(first).getByRole("link", { name: "Show the email to ada@acme.com" });
    expect(link.getAttribute("href")).toBe(`/settings/emails?email=${EMAIL_ID}`);
    expect(second.textContent).toContain("Marked as spam");
    expect(within(second).queryByRole("link")).toBeNull();
  });

  it("can be searched and paged", async () => {
    const page = await show();
    service.answer(`GET ${PATH}`, list([entry("cy")], "next"), list([entry("cyd")]));
    fireEvent.change(screen.getByLabelText("Search by email address"), {
      target: { value: "cy" },
    });
    await screen.findByText("cy@acme.com");
    expect(page.href()).toBe(`${PAGE}?q=cy`);
    press("Show more");
    await screen.findByText("cyd@acme.com");
    await waitFor(() =>
      expect(document.activeElement).toBe(screen.getByRole("button", { name: "Remove cyd@acme.com" })),
    );
    expect(service.requests.at(-1)).toBe(`GET ${PATH}?q=cy&limit=30&cursor=next`);
  });

  it("say so when there are none", async () => {
    service.answer(`GET ${PATH}`, list([]));
    const first = await openPage(`${PAGE}?q=zoe`);
    await screen.findByText("No suppressed email address starts with “zoe”.");
    first.unmount();
    await openPage(PAGE);
    await screen.findByText("No email address is suppressed.");
  });

  it.each([
    [failWith(403, "forbidden"), "The suppressions can only be seen by admins."],
    [failWith(400, "broken"), "The suppressions could not be loaded. Error: broken."],
  ])("explain why they cannot be seen", async (answer, message) => {
    service.answer(`GET ${PATH}`, answer);
    await openPage(PAGE);
    expect((await screen.findByRole("alert")).textContent).toBe(message);
  });

  it("warn before a complaint is removed, and focus the remaining row", async () => {
    service.answer(`DELETE ${PATH}/id-bob`, noContent);
    await show();
    press("Remove bob@acme.com");
    const dialog = within(screen.getByRole("dialog", { name: "Send email to bob@acme.com again?" }));
    expect(dialog.getByRole("alert").textContent).toContain("only if they asked for it");
    service.answer(`GET ${PATH}`, list([entry("ada")]));
    fireEvent.click(dialog.getByRole("button", { name: "Remove suppression" }));
    await waitFor(() => expect(rows()).toHaveLength(1));
    expect(document.activeElement).toBe(screen.getByRole("button", { name: "Remove ada@acme.com" }));
  });

  it("focus the heading when the last one is removed", async () => {
    service.answer(`GET ${PATH}`, list([entry("ada")]), list([]));
    service.answer(`DELETE ${PATH}/id-ada`, failWith(404, "not_found"));
    await show();
    press("Remove ada@acme.com");
    press("Remove suppression");
    await screen.findByText("No email address is suppressed.");
    await waitFor(() => expect(document.activeElement).toBe(screen.getByRole("heading", { level: 1 })));
  });

  it("can be added, and the form shows what is wrong", async () => {
    service.answer(`POST ${PATH}`, failWith(409, "conflict"), json(entry("cy", { reason: "manual" })));
    await show();
    press("Suppress an email address");
    fireEvent.change(screen.getByLabelText("Email address"), { target: { value: "cy@acme.com" } });
    fireEvent.change(screen.getByLabelText("Reason"), { target: { value: " asked us to " } });
    press("Suppress email address");
    await screen.findByText("This email address is already suppressed.");
    expect(document.activeElement).toBe(screen.getByLabelText("Email address"));
    press("Suppress email address");
    await waitFor(() =>
      expect(screen.queryByRole("dialog", { name: "Suppress an email address" })).toBeNull(),
    );
    expect(service.bodies.at(-1)).toEqual({ email: "cy@acme.com", reason: "asked us to" });
  });
});
