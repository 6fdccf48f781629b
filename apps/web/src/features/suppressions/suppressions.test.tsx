import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Suppression } from "@/client/types.gen";
import { failWith, json, noContent, service } from "@/testing/fake-service";
import { openPage } from "@/testing/open-page";

const PATH = "/v1/settings/email-suppressions";
const PAGE = "/settings/suppressions";
const MESSAGE = "00000000-0000-4000-8000-000000000009";

const entry = (name: string, more: Partial<Suppression> = {}): Suppression => ({
  id: `id-${name}`,
  email: `${name}@acme.com`,
  reason: "bounce",
  note: "The mailbox does not exist.",
  email_id: MESSAGE,
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

describe("the suppressions", () => {
  it("say why, since when, by whom and because of which message", async () => {
    await show();
    const [first, second] = rows() as [HTMLElement, HTMLElement];
    expect(first.textContent).toContain("Bounced");
    expect(first.textContent).toContain("The mail provider");
    const link = within(first).getByRole("link", { name: "The message to ada@acme.com" });
    expect(link.getAttribute("href")).toBe(`/settings/emails?email=${MESSAGE}`);
    expect(second.textContent).toContain("Marked as spam");
    expect(within(second).queryByRole("link")).toBeNull();
  });

  it("are searched by the beginning of an address, and paged", async () => {
    const page = await show();
    service.answer(`GET ${PATH}`, list([entry("cy")], "next"), list([entry("cyd")]));
    fireEvent.change(screen.getByLabelText("Search by the beginning of an address"), {
      target: { value: "cy" },
    });
    await screen.findByText("cy@acme.com");
    expect(page.href()).toBe(`${PAGE}?q=cy`);
    press("Show more");
    await screen.findByText("cyd@acme.com");
    await waitFor(() =>
      expect(document.activeElement).toBe(screen.getByRole("button", { name: "Take off cyd@acme.com" })),
    );
    expect(service.requests.at(-1)).toBe(`GET ${PATH}?q=cy&limit=30&cursor=next`);
  });

  it("are explained where there are none", async () => {
    service.answer(`GET ${PATH}`, list([]));
    const first = await openPage(`${PAGE}?q=zoe`);
    await screen.findByText("No address on the list begins with “zoe”.");
    first.unmount();
    await openPage(PAGE);
    await screen.findByText("Nobody is on the list: mail goes to everyone.");
  });

  it.each([
    [failWith(403, "forbidden"), "The suppressions can be seen by administrators only."],
    [failWith(400, "broken"), "The suppressions could not be loaded. Error: broken."],
  ])("are explained where they cannot be seen", async (answer, sentence) => {
    service.answer(`GET ${PATH}`, answer);
    await openPage(PAGE);
    expect((await screen.findByRole("alert")).textContent).toBe(sentence);
  });

  it("warn before somebody who complained is written to again, and go on at the row that is left", async () => {
    service.answer(`DELETE ${PATH}/id-bob`, noContent);
    await show();
    press("Take off bob@acme.com");
    const dialog = within(screen.getByRole("dialog", { name: "Write to bob@acme.com again?" }));
    expect(dialog.getByRole("alert").textContent).toContain("only if they asked for it");
    service.answer(`GET ${PATH}`, list([entry("ada")]));
    fireEvent.click(dialog.getByRole("button", { name: "Take it off the list" }));
    await waitFor(() => expect(rows()).toHaveLength(1));
    expect(document.activeElement).toBe(screen.getByRole("button", { name: "Take off ada@acme.com" }));
  });

  it("go on at the heading when the last is gone", async () => {
    service.answer(`GET ${PATH}`, list([entry("ada")]), list([]));
    service.answer(`DELETE ${PATH}/id-ada`, failWith(404, "not_found"));
    await show();
    press("Take off ada@acme.com");
    press("Take it off the list");
    await screen.findByText("Nobody is on the list: mail goes to everyone.");
    await waitFor(() => expect(document.activeElement).toBe(screen.getByRole("heading", { level: 1 })));
  });

  it("take an address, and say what is wrong with one", async () => {
    service.answer(`POST ${PATH}`, failWith(409, "conflict"), json(entry("cy", { reason: "manual" })));
    await show();
    press("Suppress an address");
    fireEvent.change(screen.getByLabelText("E-mail address"), { target: { value: "cy@acme.com" } });
    fireEvent.change(screen.getByLabelText("Reason"), { target: { value: " asked us to " } });
    press("Suppress address");
    await screen.findByText("This address is on the list already.");
    expect(document.activeElement).toBe(screen.getByLabelText("E-mail address"));
    press("Suppress address");
    await waitFor(() => expect(screen.queryByRole("dialog", { name: "Suppress an address" })).toBeNull());
    expect(service.bodies.at(-1)).toEqual({ email: "cy@acme.com", reason: "asked us to" });
  });
});
