import { QueryClientProvider } from "@tanstack/react-query";
import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { TemplateVariable } from "@/client/types.gen";
import { createQueries } from "@/lib/query-client";
import { problem, service, unreachable } from "@/testing/fake-service";
import "@/testing/dom";
import { usePreview } from "./use-preview";

const PREVIEW = "POST /v1/settings/email-templates/welcome/preview";
const ASKED = `${PREVIEW}?locale=en`;
const FOUND = { part: "html", line: 1, column: 4, severity: "error", rule: "syntax", msg: "No such tag." };

const rendered = (subject: string) => ({
  sender: "Acme <no-reply@acme.com>",
  subject,
  html: "<p>x</p>",
  text: "x",
  size_bytes: 8,
  diagnostics: [],
});
const echo = (body: unknown) => Response.json(rendered((body as { subject: string }).subject));
const broken = () => problem(422, "template_invalid", { errors: [FOUND] });
const misfit = (name: string) => () =>
  problem(422, "validation_failed", {
    errors: [{ loc: ["body", "variables", name], msg: "Give a string.", type: "variable" }],
  });

const declared: TemplateVariable[] = [{ name: "name", example: "Ada" }];
const inputOf = (subject: string, samples: Record<string, unknown> = {}) => ({
  templateKey: "welcome",
  locale: "en",
  words: { subject, preheader: "", html: "<p>x</p>", text: null },
  declared,
  samples,
});

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

async function open(first = inputOf("one")) {
  const queries = createQueries(() => {});
  const hook = renderHook((input) => usePreview(input), {
    initialProps: first,
    wrapper: ({ children }) => <QueryClientProvider client={queries}>{children}</QueryClientProvider>,
  });
  await pass(10);
  return { type: hook.rerender, checked: () => hook.result.current };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"] });
  service.answer(PREVIEW, echo);
});

afterEach(() => vi.useRealTimers());

describe("the preview", () => {
  it("is asked for at once, with everything that counts and a text that is made from the HTML", async () => {
    const page = await open(inputOf("one", { name: "Bob", gone: 1 }));
    expect(page.checked()).toMatchObject({ preview: { subject: "one" }, stale: false, error: null });
    expect(service.requests).toEqual([ASKED]);
    const { words } = inputOf("one");
    expect(service.bodies).toEqual([{ ...words, declared, variables: { name: "Bob" } }]);
  });

  it("follows 200 ms after the last change, once", async () => {
    const page = await open();
    page.type(inputOf("two"));
    await pass(150);
    page.type(inputOf("three"));
    await pass(199);
    expect(service.requests).toHaveLength(1);
    expect(page.checked()).toMatchObject({ preview: { subject: "one" }, stale: true, pending: true });
    await pass(11);
    expect(service.requests).toHaveLength(2);
    expect(page.checked()).toMatchObject({ preview: { subject: "three" }, stale: false, pending: false });
  });

  it("is not asked for again when nothing has changed", async () => {
    const page = await open();
    page.type(inputOf("one"));
    await pass(1000);
    expect(service.requests).toHaveLength(1);
  });

  it("is never an older one that came late", async () => {
    const page = await open();
    const late = service.hold(PREVIEW);
    page.type(inputOf("late"));
    await pass(310);
    service.answer(PREVIEW, echo);
    page.type(inputOf("newest"));
    await pass(310);
    late(Response.json(rendered("late")));
    await pass(1000);
    expect(page.checked()).toMatchObject({ words: { subject: "newest" }, preview: { subject: "newest" } });
  });

  it("gives up the request that it no longer needs", async () => {
    const page = await open();
    const signals: AbortSignal[] = [];
    const { fetch } = service;
    vi.stubGlobal("fetch", (request: Request) => {
      signals.push(request.signal);
      return fetch(request);
    });
    service.hold(PREVIEW);
    page.type(inputOf("two"));
    await pass(310);
    page.type(inputOf("three"));
    await pass(310);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  });

  it("stays when the words have errors, which are told", async () => {
    const page = await open();
    service.answer(PREVIEW, broken);
    page.type(inputOf("{{"));
    await pass(310);
    expect(page.checked()).toMatchObject({
      words: { subject: "{{" },
      preview: { subject: "one" },
      shown: { body: { subject: "one" } },
      stale: true,
      pending: false,
      diagnostics: [FOUND],
      error: null,
    });
  });

  it("is none where the first words have errors", async () => {
    service.answer(PREVIEW, broken);
    const page = await open();
    expect(page.checked()).toMatchObject({ preview: null, shown: null, stale: false, diagnostics: [FOUND] });
  });

  it("shows an example in place of a sample that does not fit, and says which", async () => {
    service.answer(PREVIEW, misfit("name"), echo);
    const page = await open(inputOf("one", { name: 7 }));
    expect(page.checked()).toMatchObject({
      preview: { subject: "one" },
      problems: { name: "Give a string." },
      error: null,
    });
    expect(service.bodies).toMatchObject([{ variables: { name: 7 } }, { variables: {} }]);
  });

  it("stays while the service is away, and comes back by itself", async () => {
    const page = await open();
    service.answer(PREVIEW, unreachable);
    page.type(inputOf("two"));
    await pass(310);
    expect(page.checked()).toMatchObject({ preview: { subject: "one" }, stale: true, error: { status: 0 } });
    service.answer(PREVIEW, () => problem(503, "service_unavailable"));
    await pass(5010);
    expect(page.checked()).toMatchObject({ preview: { subject: "one" }, error: { status: 503 } });
    service.answer(PREVIEW, echo);
    await pass(5010);
    expect(page.checked()).toMatchObject({ preview: { subject: "two" }, stale: false, error: null });
  });

  it("is not asked for again where asking again cannot help", async () => {
    service.answer(PREVIEW, () => problem(404, "not_found"));
    const page = await open();
    await pass(20_000);
    expect(service.requests).toHaveLength(1);
    expect(page.checked()).toMatchObject({ preview: null, error: { status: 404 } });
  });

  it("of another template begins anew, at once", async () => {
    const page = await open();
    service.answer("POST /v1/settings/email-templates/hello/preview", echo);
    page.type({ ...inputOf("hello"), templateKey: "hello" });
    expect(page.checked()).toBeNull();
    await pass(10);
    expect(page.checked()).toMatchObject({ preview: { subject: "hello" } });
  });
});
