import { QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { TemplateVariable } from "@/client/types.gen";
import { createQueries } from "@/lib/query-client";
import { failWith, noContent, service } from "@/testing/fake-service";
import "@/testing/dom";
import { SamplesPanel } from "./samples-panel";

const SAVE = "PUT /v1/settings/email-templates/welcome/samples";
const SAVED = "Saved for everybody who edits this template";

const variables: TemplateVariable[] = [
  { name: "name", example: "Ada" },
  { name: "amount", type: "number", example: 4 },
  { name: "paid", type: "boolean", example: true },
  { name: "items", type: "list", example: ["Tea"] },
];

function Panel({ start, problems }: { start: Record<string, unknown>; problems: Record<string, string> }) {
  const [samples, setSamples] = useState(start);
  return (
    <>
      <SamplesPanel
        templateKey="welcome"
        variables={variables}
        samples={samples}
        problems={problems}
        onChange={setSamples}
      />
      <code>{JSON.stringify(samples)}</code>
    </>
  );
}

function open(start: Record<string, unknown> = {}, problems: Record<string, string> = {}) {
  return render(
    <QueryClientProvider client={createQueries(() => {})}>
      <Panel start={start} problems={problems} />
    </QueryClientProvider>,
  );
}

const field = (name: RegExp) => screen.getByLabelText<HTMLInputElement>(name);
const type = (name: RegExp, value: string) => fireEvent.change(field(name), { target: { value } });
const samples = () => JSON.parse(document.querySelector("code")?.textContent ?? "");
const status = () => screen.getByRole("status").textContent;
/** Lets time pass; the last of it in small steps, in which answers arrive and are shown. */
async function pass(ms: number) {
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
  it("is what is typed, of the variable's type, and its example while nothing is", () => {
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

  it("is saved once, a moment after the last change, and that is told", async () => {
    open();
    type(/^name/, "B");
    await pass(500);
    type(/^name/, "Bob");
    await pass(799);
    expect(service.requests).toEqual([]);
    await pass(11);
    expect(service.bodies).toEqual([{ variables: { name: "Bob" } }]);
    expect(status()).toBe(SAVED);
  });

  it("is saved when the panel is left before that", async () => {
    const panel = open();
    type(/^name/, "Bob");
    panel.unmount();
    await pass(10);
    expect(service.bodies).toEqual([{ variables: { name: "Bob" } }]);
    await pass(2000);
    expect(service.bodies).toHaveLength(1);
  });

  it("says that it was not saved", async () => {
    service.answer(SAVE, failWith(400, "broken"));
    open();
    type(/^name/, "Bob");
    await pass(810);
    expect(status()).toBe("Not saved: only you see this.");
  });

  it.each([
    [/^items/, "[1,", /^This is not JSON yet/],
    [/^items/, '{"a": 1}', /^Give a list/],
    [/^amount/, "many", /^Give a number/],
  ])("is never sent while it is none: %s %s", async (name, text, sentence) => {
    open({ items: ["kept"], amount: 1 });
    type(name, text);
    await pass(2000);
    expect(service.requests).toEqual([]);
    expect(samples()).toEqual({ items: ["kept"], amount: 1 });
    expect(field(name).value).toBe(text);
    expect(field(name).getAttribute("aria-invalid")).toBe("true");
    const note = document.getElementById(field(name).getAttribute("aria-describedby") ?? "");
    expect(note?.textContent).toMatch(sentence);
  });

  it("tells at its field what the service has found", () => {
    open({ name: "x" }, { name: "Give at most 20000 characters." });
    expect(screen.getByText("Give at most 20000 characters.")).toBeDefined();
    expect(field(/^name/).getAttribute("aria-invalid")).toBe("true");
    expect(field(/^amount/).getAttribute("aria-invalid")).toBeNull();
  });

  it("goes back to the examples, of what makes no value too", async () => {
    open({ name: "Bob" });
    type(/^items/, "[1,");
    fireEvent.click(screen.getByRole("button", { name: "Use the examples" }));
    expect(samples()).toEqual({});
    expect(field(/^items/).value).toBe("");
    await pass(810);
    expect(service.bodies).toEqual([{ variables: {} }]);
  });
});
