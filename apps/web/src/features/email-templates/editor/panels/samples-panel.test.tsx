import { QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { TemplateVariable } from "@/client/types.gen";
import { createQueryClient } from "@/lib/query-client";
import { failWith, noContent, service } from "@/testing/fake-service";
import "@/testing/dom";
import { SamplesPanel } from "./samples-panel";

const SAVE = "PUT /v1/settings/email-templates/welcome/samples";
const SAVED = "Saved for everyone who edits this template.";

const variables: TemplateVariable[] = [
  { name: "name", example: "Ada" },
  { name: "amount", type: "number", example: 4 },
  { name: "paid", type: "boolean", example: true },
  { name: "items", type: "list", example: ["Tea"] },
];

function Panel({ start, errors }: { start: Record<string, unknown>; errors: Record<string, string> }) {
  const [samples, setSamples] = useState(start);
  return (
    <>
      <SamplesPanel
        templateKey="welcome"
        variables={variables}
        samples={samples}
        errors={errors}
        onChange={setSamples}
      />
      <code>{JSON.stringify(samples)}</code>
    </>
  );
}

function open(start: Record<string, unknown> = {}, errors: Record<string, string> = {}) {
  return render(
    <QueryClientProvider client={createQueryClient(() => {})}>
      <Panel start={start} errors={errors} />
    </QueryClientProvider>,
  );
}

const field = (name: RegExp) => screen.getByLabelText<HTMLInputElement>(name);
const type = (name: RegExp, value: string) => fireEvent.change(field(name), { target: { value } });
const samples = () => JSON.parse(document.querySelector("code")?.textContent ?? "");
const status = () => screen.getByRole("status").textContent;
/** Advance the clock, at the end in steps of 1 ms, so that responses arrive and are rendered. */
async function advance(ms: number) {
  const steps = Math.min(ms, 10);
  for (const step of [ms - steps, ...Array(steps).fill(1)]) {
    await act(async () => {
      await vi.advanceTimersByTimeAsync(step);
      await new Promise(setImmediate);
    });
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"] });
  service.answer(SAVE, noContent);
});

afterEach(() => vi.useRealTimers());

describe("sample data", () => {
  it("has the type of its variable, and shows the example while the field is empty", () => {
    open({ name: "Bob" });
    expect(field(/^name/).value).toBe("Bob");
    expect(field(/^amount/).placeholder).toBe("4");
    type(/^amount/, "2.50");
    type(/^paid/, "false");
    type(/^items/, '["a", {"b": 1}]');
    expect(samples()).toEqual({ name: "Bob", amount: 2.5, paid: false, items: ["a", { b: 1 }] });
    expect(field(/^amount/).value).toBe("2.50");
    type(/^name/, "");
    expect(samples()).not.toHaveProperty("name");
  });

  it("is saved once, a moment after the last change, and says so", async () => {
    open();
    type(/^name/, "B");
    await advance(500);
    type(/^name/, "Bob");
    await advance(799);
    expect(service.requests).toEqual([]);
    await advance(11);
    expect(service.bodies).toEqual([{ variables: { name: "Bob" } }]);
    expect(status()).toBe(SAVED);
  });

  it("is saved at once when the panel is closed before that", async () => {
    const panel = open();
    type(/^name/, "Bob");
    panel.unmount();
    await advance(10);
    expect(service.bodies).toEqual([{ variables: { name: "Bob" } }]);
    await advance(2000);
    expect(service.bodies).toHaveLength(1);
  });

  it("says when it could not be saved", async () => {
    service.answer(SAVE, failWith(400, "broken"));
    open();
    type(/^name/, "Bob");
    await advance(810);
    expect(status()).toBe("Not saved. Only you see these values.");
  });

  it.each([
    [/^items/, "[1,", /^Invalid JSON/],
    [/^items/, '{"a": 1}', /^Enter a list/],
    [/^amount/, "many", /^Enter a number/],
  ])("is not sent while it is invalid: %s %s", async (name, text, message) => {
    open({ items: ["Mate"], amount: 1 });
    type(name, text);
    await advance(2000);
    expect(service.requests).toEqual([]);
    expect(samples()).toEqual({ items: ["Mate"], amount: 1 });
    expect(field(name).value).toBe(text);
    expect(field(name).getAttribute("aria-invalid")).toBe("true");
    const error = document.getElementById(field(name).getAttribute("aria-describedby") ?? "");
    expect(error?.textContent).toMatch(message);
  });

  it("shows the server's errors at their fields", () => {
    open({ name: "x" }, { name: "Enter at most 20000 characters." });
    expect(screen.getByText("Enter at most 20000 characters.")).toBeDefined();
    expect(field(/^name/).getAttribute("aria-invalid")).toBe("true");
    expect(field(/^amount/).getAttribute("aria-invalid")).toBeNull();
  });

  it("resets to the examples, invalid text included", async () => {
    open({ name: "Bob" });
    type(/^items/, "[1,");
    fireEvent.click(screen.getByRole("button", { name: "Reset to the examples" }));
    expect(samples()).toEqual({});
    expect(field(/^items/).value).toBe("");
    await advance(810);
    expect(service.bodies).toEqual([{ variables: {} }]);
  });
});
