import { QueryClientProvider } from "@tanstack/react-query";
import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { TemplateVariable } from "@/client/types.gen";
import { createQueryClient } from "@/lib/query-client";
import { problem, service, unreachable } from "@/testing/fake-service";
import "@/testing/dom";
import { usePreview } from "./use-preview";

const PREVIEW = "POST /v1/settings/email-templates/welcome/preview";
const ASKED = `${PREVIEW}?locale=en`;
const DIAGNOSTIC = {
  part: "html",
  line: 1,
  column: 4,
  severity: "error",
  rule: "syntax",
  msg: "No such tag.",
};

const rendered = (subject: string) => ({
  sender: "Acme <no-reply@acme.com>",
  subject,
  html: "<p>x</p>",
  text: "x",
  text_source: "x",
  size_bytes: 8,
  diagnostics: [],
});
const echo = (body: unknown) => Response.json(rendered((body as { subject: string }).subject));
const broken = () => problem(422, "template_invalid", { errors: [DIAGNOSTIC] });
const invalidValue = (name: string) => () =>
  problem(422, "validation_failed", {
    errors: [{ loc: ["body", "variables", name], msg: "Give a string.", type: "variable" }],
  });

const variables: TemplateVariable[] = [{ name: "name", example: "Ada" }];
const inputOf = (subject: string, samples: Record<string, unknown> = {}) => ({
  templateKey: "welcome",
  locale: "en",
  content: { subject, preheader: "", html: "<p>x</p>", text: null, variables },
  samples,
});

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

async function open(first = inputOf("one")) {
  const queries = createQueryClient(() => {});
  const hook = renderHook((input) => usePreview(input), {
    initialProps: first,
    wrapper: ({ children }) => <QueryClientProvider client={queries}>{children}</QueryClientProvider>,
  });
  await advance(10);
  return { type: hook.rerender, state: () => hook.result.current };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"] });
  service.answer(PREVIEW, echo);
});

afterEach(() => vi.useRealTimers());

describe("the preview", () => {
  it("is requested at once, with the content, the declarations and the declared samples", async () => {
    const page = await open(inputOf("one", { name: "Bob", gone: 1 }));
    expect(page.state()).toMatchObject({ preview: { subject: "one" }, stale: false, error: null });
    expect(service.requests).toEqual([ASKED]);
    const { variables: declared, ...parts } = inputOf("one").content;
    expect(service.bodies).toEqual([{ ...parts, declared, variables: { name: "Bob" } }]);
  });

  it("is updated once, 200 ms after the last change", async () => {
    const page = await open();
    page.type(inputOf("two"));
    await advance(150);
    page.type(inputOf("three"));
    await advance(199);
    expect(service.requests).toHaveLength(1);
    expect(page.state()).toMatchObject({ preview: { subject: "one" }, stale: true, pending: true });
    await advance(11);
    expect(service.requests).toHaveLength(2);
    expect(page.state()).toMatchObject({ preview: { subject: "three" }, stale: false, pending: false });
  });

  it("is not requested again when nothing has changed", async () => {
    const page = await open();
    page.type(inputOf("one"));
    await advance(1000);
    expect(service.requests).toHaveLength(1);
  });

  it("ignores an older response that arrives late", async () => {
    const page = await open();
    const late = service.hold(PREVIEW);
    page.type(inputOf("late"));
    await advance(310);
    service.answer(PREVIEW, echo);
    page.type(inputOf("newest"));
    await advance(310);
    late(Response.json(rendered("late")));
    await advance(1000);
    expect(page.state()).toMatchObject({ content: { subject: "newest" }, preview: { subject: "newest" } });
  });

  it("aborts a request that is out of date", async () => {
    const page = await open();
    const signals: AbortSignal[] = [];
    const { fetch } = service;
    vi.stubGlobal("fetch", (request: Request) => {
      signals.push(request.signal);
      return fetch(request);
    });
    service.hold(PREVIEW);
    page.type(inputOf("two"));
    await advance(310);
    page.type(inputOf("three"));
    await advance(310);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  });

  it("stays when the content has errors, which are reported", async () => {
    const page = await open();
    service.answer(PREVIEW, broken);
    page.type(inputOf("{{"));
    await advance(310);
    expect(page.state()).toMatchObject({
      content: { subject: "{{" },
      preview: { subject: "one" },
      request: { body: { subject: "one" } },
      stale: true,
      pending: false,
      diagnostics: [DIAGNOSTIC],
      error: null,
    });
  });

  it("is empty when the first content has errors", async () => {
    service.answer(PREVIEW, broken);
    const page = await open();
    expect(page.state()).toMatchObject({
      preview: null,
      request: null,
      stale: false,
      diagnostics: [DIAGNOSTIC],
    });
  });

  it("uses the example in place of an invalid sample, and reports the error", async () => {
    service.answer(PREVIEW, invalidValue("name"), echo);
    const page = await open(inputOf("one", { name: 7 }));
    expect(page.state()).toMatchObject({
      preview: { subject: "one" },
      sampleErrors: { name: "Give a string." },
      error: null,
    });
    expect(service.bodies).toMatchObject([{ variables: { name: 7 } }, { variables: {} }]);
  });

  it("stays while the service is unavailable, and recovers by itself", async () => {
    const page = await open();
    service.answer(PREVIEW, unreachable);
    page.type(inputOf("two"));
    await advance(310);
    expect(page.state()).toMatchObject({ preview: { subject: "one" }, stale: true, error: { status: 0 } });
    service.answer(PREVIEW, () => problem(503, "service_unavailable"));
    await advance(5010);
    expect(page.state()).toMatchObject({ preview: { subject: "one" }, error: { status: 503 } });
    service.answer(PREVIEW, echo);
    await advance(5010);
    expect(page.state()).toMatchObject({ preview: { subject: "two" }, stale: false, error: null });
  });

  it("is not requested again when a retry cannot help", async () => {
    service.answer(PREVIEW, () => problem(404, "not_found"));
    const page = await open();
    await advance(20_000);
    expect(service.requests).toHaveLength(1);
    expect(page.state()).toMatchObject({ preview: null, error: { status: 404 } });
  });

  it("of another template starts over, at once", async () => {
    const page = await open();
    service.answer("POST /v1/settings/email-templates/hello/preview", echo);
    page.type({ ...inputOf("hello"), templateKey: "hello" });
    expect(page.state()).toBeNull();
    await advance(10);
    expect(page.state()).toMatchObject({ preview: { subject: "hello" } });
  });
});
