import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { Session } from "@/client/types.gen";
import { json, service } from "@/testing/fake-service";
import { openPage } from "@/testing/open-page";

const phone: Session = {
  id: "phone",
  user_id: "me",
  name: "Phone",
  device: { kind: "mobile", browser: "Safari", os: "iPhone" },
  ip: "81.2.69.160",
  location: null,
  created_at: "2026-01-01T00:00:00Z",
  last_active_at: "2026-01-01T00:00:00Z",
  expires_at: "2027-01-01T00:00:00Z",
  current: true,
  status: "active",
  ended_at: null,
  end_reason: null,
};

async function row(location: string | null) {
  service.signIn();
  service.answer("GET /v1/sessions", json({ items: [{ ...phone, location }], next_cursor: null }));
  await openPage("/devices");
  const name = await screen.findByText("Phone");
  return name.closest("li")?.textContent;
}

describe("the location of a device", () => {
  it.each(["Munich, Germany", "Sweden"])("is shown: %s", async (location) => {
    expect(await row(location)).toContain(`81.2.69.160·Near ${location}`);
  });

  it("is left out when it is unknown", async () => {
    expect(await row(null)).toMatch(/81\.2\.69\.160Sign out$/);
  });
});
