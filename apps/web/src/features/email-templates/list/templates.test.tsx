import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { TemplateEntry } from "@/client/types.gen";
import { failWith, json, noContent, problem, service } from "@/testing/fake-service";
import { openPage } from "@/testing/open-page";
import { starterContent, suggestKey } from "./starter";

const PATH = "/v1/settings/email-templates";
const PAGE = "/settings/email-templates";

const me = { user: { id: "me", email: "ada@example.com", role: "admin", user_metadata: {} }, session: {} };
const template = (key: string, more: Partial<TemplateEntry> = {}): TemplateEntry => ({
  key,
  name: `The ${key}`,
  description: "",
  source: "builtin",
  contains_secrets: false,
  locales: ["de", "en"],
  changed: [],
  published_version: 0,
  has_draft: false,
  updated_at: null,
  updated_by: null,
  ...more,
});
const changed = template("changed", {
  changed: ["en"],
  published_version: 3,
  has_draft: true,
  updated_at: "2026-01-01T00:00:00Z",
  updated_by: "user:me",
});
const custom = template("own", {
  source: "custom",
  locales: ["de"],
  changed: ["de"],
  published_version: null,
});
const list = (...items: TemplateEntry[]) => json({ items, next_cursor: null });

const row = (key: string) => within(screen.getByText(key, { selector: "span" }).closest("tr") as HTMLElement);
const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));
const type = (label: string, value: string) =>
  fireEvent.change(screen.getByLabelText(label), { target: { value } });

beforeEach(() => {
  service.answer("GET /v1/me", json(me));
  service.answer("GET /v1/admin/users/me", json({ id: "me", email: "ada@example.com" }));
  service.answer(`GET ${PATH}`, list(template("plain"), changed, custom));
});

async function show(href = PAGE) {
  const page = await openPage(href);
  await screen.findByRole("table");
  return page;
}

describe("the template list", () => {
  it("shows the status, the languages and the last change", async () => {
    await show();
    expect(row("plain").getByText("Built-in")).toBeDefined();
    expect(row("plain").getByText("German, English")).toBeDefined();
    expect(row("plain").getByText("Never")).toBeDefined();
    expect(row("changed").getByText("Published, version 3")).toBeDefined();
    expect(row("changed").getByText("Draft")).toBeDefined();
    expect(await row("changed").findByText("ada@example.com")).toBeDefined();
    expect(row("own").getByText("Custom")).toBeDefined();
    expect(row("own").getByText("Not in English")).toBeDefined();
  });

  it("offers to reset changed built-in templates and to delete custom ones", async () => {
    await show();
    const names = screen.getAllByRole("button").map((button) => button.getAttribute("aria-label"));
    expect(names.filter((name) => /^(Reset|Delete)/.test(name ?? ""))).toEqual([
      "Reset changed",
      "Delete own",
    ]);
  });

  it("filters by name and key, and keeps the filter in the URL", async () => {
    const page = await show(`${PAGE}?q=CHANG`);
    expect(screen.getAllByRole("row")).toHaveLength(2);
    type("Search by name or key", "the own ");
    await waitFor(() => expect(page.href()).toBe(`${PAGE}?q=the+own`));
    expect(screen.getAllByRole("row")).toHaveLength(2);
    type("Search by name or key", "no such name");
    await screen.findByText("No template matches “no such name”.");
    press("Show all templates");
    await waitFor(() => expect(screen.getAllByRole("row")).toHaveLength(4));
    expect((screen.getByLabelText("Search by name or key") as HTMLInputElement).value).toBe("");
  });

  it("shows the status in another language", async () => {
    const page = await show();
    fireEvent.change(screen.getByLabelText("Language"), { target: { value: "de" } });
    await waitFor(() => expect(service.requests.at(-1)).toBe(`GET ${PATH}?locale=de`));
    expect(page.href()).toBe(`${PAGE}?locale=de`);
  });

  it.each([
    [failWith(403, "forbidden"), "The templates can only be seen by admins."],
    [failWith(400, "broken"), "The templates could not be loaded. Error: broken."],
  ])("says why the templates are not shown", async (answer, sentence) => {
    service.answer(`GET ${PATH}`, answer);
    await openPage(PAGE);
    expect((await screen.findByRole("alert")).textContent).toBe(sentence);
    expect(screen.queryByRole("button", { name: "New template" })).toBeNull();
  });

  it("can be reloaded after a failure", async () => {
    service.answer(`GET ${PATH}`, failWith(400, "broken"), list(custom));
    await openPage(PAGE);
    fireEvent.click(await screen.findByRole("button", { name: "Try again" }));
    await screen.findByRole("table");
  });

  it("shows a skeleton while the templates are loading", async () => {
    const give = service.hold(`GET ${PATH}`);
    await openPage(PAGE);
    expect(screen.getByRole("status", { name: "Loading the templates" })).toBeDefined();
    give(Response.json({ items: [custom], next_cursor: null }));
    await screen.findByRole("table");
  });
});

describe("deleting or resetting a template", () => {
  it("says what is deleted, deletes it, and moves the focus to the next row", async () => {
    service.answer(`GET ${PATH}`, list(template("plain"), custom), list(template("plain")));
    service.answer(`DELETE ${PATH}/own`, noContent);
    await show();
    press("Delete own");
    const dialog = within(screen.getByRole("dialog", { name: "Delete “The own”?" }));
    expect(dialog.getByText(/The template in German, drafts included/)).toBeDefined();
    expect(dialog.getByText(/emails that are already queued: their content does not change/)).toBeDefined();
    fireEvent.click(dialog.getByRole("button", { name: "Delete own" }));
    await waitFor(() => expect(screen.queryByText("own", { selector: "span" })).toBeNull());
    expect(document.activeElement?.getAttribute("data-row")).toBe("plain");
  });

  it("asks for the password if the sign-in is old, and reports a failure", async () => {
    service.answer(
      `DELETE ${PATH}/changed`,
      failWith(403, "reauthentication_required"),
      failWith(500, "broken"),
    );
    service.answer("POST /v1/auth/reauthenticate", noContent);
    await show();
    press("Reset changed");
    fireEvent.click(
      within(screen.getByRole("dialog", { name: "Reset “The changed”?" })).getByRole("button", {
        name: "Reset changed",
      }),
    );
    const question = within(await screen.findByRole("dialog", { name: "Confirm your password" }));
    fireEvent.change(question.getByLabelText("Password"), { target: { value: "x" } });
    fireEvent.click(question.getByRole("button", { name: "Confirm password" }));
    await waitFor(() =>
      expect(document.querySelector("[role=alertdialog]")?.textContent).toBe(
        "“The changed” could not be resetError: broken.",
      ),
    );
  });
});

describe("a new template", () => {
  it("gets a key from its name and starter content, and opens in the editor", async () => {
    service.answer(`POST ${PATH}`, json({ ...custom, key: "order-shipped", name: "Order shipped!" }));
    const page = await show();
    press("New template");
    type("Name", "Order shipped!");
    expect((screen.getByLabelText("Key") as HTMLInputElement).value).toBe("order-shipped");
    type("Language code", "de");
    fireEvent.click(screen.getByLabelText("Its emails contain secrets"));
    press("Create template");
    await waitFor(() => expect(page.href()).toBe("/settings/email-templates/order-shipped?locale=de"));
    expect(service.requests).toContain(`POST ${PATH}?locale=de`);
    expect(service.bodies[0]).toMatchObject({
      key: "order-shipped",
      name: "Order shipped!",
      subject: "Order shipped!",
      contains_secrets: true,
    });
  });

  it("shows at the key that it is in use or invalid", async () => {
    service.answer(`POST ${PATH}`, failWith(409, "conflict"));
    await show();
    press("New template");
    type("Name", "Own");
    press("Create template");
    await screen.findByText("This key is already in use. Choose another one.");
    expect(document.activeElement).toBe(screen.getByLabelText("Key"));
    type("Key", "Own!");
    press("Create template");
    await screen.findByText(/only lowercase letters, digits and dashes/);
    expect(screen.queryByText("This key is already in use. Choose another one.")).toBeNull();
    expect(service.bodies).toHaveLength(1);
  });

  it("shows other errors", async () => {
    const errors = [{ loc: ["body", "name"], msg: "too odd", type: "x" }];
    service.answer(
      `POST ${PATH}`,
      () => problem(422, "validation_failed", { errors }),
      failWith(400, "broken"),
    );
    await show();
    press("New template");
    type("Name", "Own");
    press("Create template");
    await screen.findByText("too odd");
    press("Create template");
    expect((await screen.findByRole("alert")).textContent).toBe("Error: broken.");
  });
});

describe("the starter content", () => {
  it.each([
    ["Order shipped!", "order-shipped"],
    ["Über 3 Äpfel", "uber-3-apfel"],
    ["3 days left", "days-left"],
    ["!", ""],
    ["x".repeat(80), "x".repeat(63)],
  ])("has a key: %s", (name, key) => expect(suggestKey(name)).toBe(key));

  it("escapes the name", () => {
    const content = starterContent("{{ 7 }} <b> & $& ");
    expect(content.subject).toBe("7  <b> & $&");
    expect(content.html).toContain("<h1>7  &lt;b&gt; &amp; $&amp;</h1>");
  });
});
