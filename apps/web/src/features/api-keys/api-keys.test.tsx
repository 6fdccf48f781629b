import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { ApiKey } from "@/client/types.gen";
import { failWith, json, noContent, service } from "@/testing/fake-service";
import { openPage } from "@/testing/open-page";

const PATH = "/v1/admin/api-keys";
const PAGE = "/settings/api-keys";

const key = (name: string, more: Partial<ApiKey> = {}): ApiKey => ({
  id: `id-${name}`,
  name,
  prefix: "gp_12345678",
  scopes: ["users:read"],
  created_by: "user:1",
  owner_id: "somebody",
  owner_email: "boss@acme.com",
  created_at: "2026-01-01T00:00:00Z",
  expires_at: null,
  last_used_at: null,
  revoked_at: null,
  suspended_at: null,
  ...more,
});
const list = (items: ApiKey[], next_cursor: string | null = null) => json({ items, next_cursor });
const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));
const rows = () => screen.getAllByRole("row").slice(1);

beforeEach(() => {
  service.signIn({ role: "admin" });
  service.answer(
    `GET ${PATH}`,
    list([
      key("billing"),
      key("reports", { suspended_at: "2026-01-02T00:00:00Z", owner_email: null }),
      key("script", { owner_id: null, owner_email: null, expires_at: "2026-01-02T00:00:00Z" }),
      key("old", { revoked_at: "2026-01-02T00:00:00Z" }),
    ]),
  );
});

async function show() {
  await openPage(PAGE);
  await screen.findByRole("table");
}

describe("API keys", () => {
  it("show their owner and their status", async () => {
    await show();
    const texts = rows().map((row) => row.textContent ?? "");
    expect(texts[0]).toContain("boss@acme.com");
    expect(texts[0]).toContain("Active");
    expect(texts[1]).toContain("A deleted user");
    expect(texts[1]).toContain("Suspended");
    expect(texts[2]).toContain("The command line");
    expect(texts[2]).toContain("Expired");
    expect(texts[3]).toContain("Revoked");
    expect(within(rows()[3] as HTMLElement).queryByRole("button")).toBeNull();
  });

  it("are taken over after a confirmation", async () => {
    service.answer(`POST ${PATH}/id-reports/take-over`, json(key("reports")));
    await show();
    press("Take over reports");
    const dialog = within(screen.getByRole("dialog", { name: "Take over reports?" }));
    fireEvent.click(dialog.getByRole("button", { name: "Take over reports" }));
    await screen.findByText("You own reports now");
    expect(service.requests).toContain(`POST ${PATH}/id-reports/take-over`);
  });

  it("are revoked after a confirmation, and say why it failed", async () => {
    service.answer(`DELETE ${PATH}/id-billing`, failWith(400, "broken"), noContent);
    await show();
    for (const message of ["Could not revoke billing", "Revoked billing"]) {
      press("Revoke billing");
      const dialog = within(screen.getByRole("dialog", { name: "Revoke billing?" }));
      fireEvent.click(dialog.getByRole("button", { name: "Revoke billing" }));
      await waitFor(() => expect(document.body.textContent).toContain(message));
    }
  });

  it("say so when there are none", async () => {
    service.answer(`GET ${PATH}`, list([]));
    await openPage(PAGE);
    expect(await screen.findByText(/There are no API keys/)).toBeTruthy();
  });

  it("can only be seen by admins", async () => {
    service.answer(`GET ${PATH}`, failWith(403, "forbidden"));
    await openPage(PAGE);
    expect((await screen.findByRole("alert")).textContent).toBe("The API keys can only be seen by admins.");
  });
});
