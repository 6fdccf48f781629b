import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { previewTemplate } from "@/client/sdk.gen";
import type { Preview, PreviewTemplateData, TemplateDiagnostic } from "@/client/types.gen";
import { ApiError } from "@/lib/errors";
import { isTransient } from "@/lib/query-client";
import { contentOf, declaredValues, type TemplateContent } from "../draft/content";

/** How long the content has to stay unchanged before it is rendered. The draft store adds its own 100 ms. */
const DEBOUNCE_MS = 200;
const RETRY_MS = 5000;

type Samples = Record<string, unknown>;

/** A preview request that was answered. */
export interface PreviewRequest {
  body: PreviewTemplateData["body"];
  /** When the answer came, in milliseconds since 1970. */
  answeredAt: number;
}

export interface PreviewState {
  /** The content that `diagnostics` are about. */
  content: TemplateContent;
  /** The last preview that could be rendered, and its request. */
  preview: Preview | null;
  request: PreviewRequest | null;
  /** `preview` shows older content: the present one has errors or is still being rendered. */
  stale: boolean;
  diagnostics: TemplateDiagnostic[];
  /** Errors of sample values, by variable. The preview uses the examples in their place. */
  sampleErrors: Readonly<Record<string, string>>;
  pending: boolean;
  /** Why the request itself failed; says nothing about the template. */
  error: unknown;
}

interface PreviewInput {
  templateKey: string;
  locale: string;
  content: TemplateContent;
  samples: Samples;
}

/** Render the content on the server, a moment after the last change; null until there is a first answer. */
export function usePreview(input: PreviewInput): PreviewState | null {
  const templateId = `${input.templateKey} ${input.locale}`;
  // Inputs are compared and kept as JSON: they are new objects in each render.
  const current = JSON.stringify({
    ...input,
    content: contentOf(input.content),
    samples: declaredValues(input.content.variables, input.samples),
  });
  const requested = useDebounced(current, templateId);
  const query = useQuery({
    queryKey: ["preview", requested],
    queryFn: ({ signal }) => renderPreview(requested, signal),
    networkMode: "always",
    retry: false,
    refetchOnReconnect: true,
    refetchInterval: ({ state }) => (isTransient(state.error) ? RETRY_MS : false),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const { latest, rendered, error } = useLatest(templateId, query.data, query.error);
  const pending = requested !== current || query.isFetching;
  return useMemo(() => {
    if (!latest && !error) return null;
    return {
      content: latest?.content ?? parseInput(current).content,
      preview: rendered?.preview ?? null,
      request: rendered?.request ?? null,
      stale: rendered !== null && rendered.input !== current,
      diagnostics: latest?.diagnostics ?? [],
      sampleErrors: latest?.sampleErrors ?? {},
      pending,
      error,
    };
  }, [latest, rendered, error, pending, current]);
}

/** Return a value once it has not changed for a while, or at once for another template. */
function useDebounced(value: string, templateId: string): string {
  const [settled, settle] = useState({ value, templateId });
  if (settled.templateId !== templateId) settle({ value, templateId });
  useEffect(() => {
    const timer = setTimeout(() => settle({ value, templateId }), DEBOUNCE_MS);
    return () => clearTimeout(timer);
  }, [value, templateId]);
  return settled.templateId === templateId ? settled.value : value;
}

interface Answer
  extends Pick<PreviewState, "content" | "preview" | "request" | "diagnostics" | "sampleErrors"> {
  /** The input that it answers. */
  input: string;
}

/** Remember the latest answer during the next request, and the last rendered one while the content has errors. */
function useLatest(templateId: string, answer: Answer | undefined, error: unknown) {
  const nothing = {
    templateId,
    latest: null as Answer | null,
    rendered: null as Answer | null,
    error: null as unknown,
  };
  const [remembered, remember] = useState(nothing);
  let next = remembered.templateId === templateId ? remembered : nothing;
  if (answer && (answer !== next.latest || next.error)) {
    next = { templateId, latest: answer, rendered: answer.preview ? answer : next.rendered, error: null };
  } else if (!answer && error && error !== next.error) {
    next = { ...next, error };
  }
  if (next !== remembered) remember(next);
  return next;
}

async function renderPreview(input: string, signal: AbortSignal): Promise<Answer> {
  const { templateKey, locale, content, samples } = parseInput(input);
  const { variables: declared, ...parts } = content;
  const render = async (values: Samples, sampleErrors: Answer["sampleErrors"]): Promise<Answer> => {
    const body = { ...parts, declared, variables: values };
    const preview = await requestPreview(templateKey, locale, body, signal);
    const request = { body, answeredAt: Date.now() };
    return { input, content, preview, request, diagnostics: preview.diagnostics, sampleErrors };
  };
  let sampleErrors: Record<string, string> = {};
  try {
    return await render(samples, sampleErrors).catch((error: unknown) => {
      sampleErrors = sampleErrorsOf(error);
      if (Object.keys(sampleErrors).length === 0) throw error;
      const valid = Object.entries(samples).filter(([name]) => !Object.hasOwn(sampleErrors, name));
      return render(Object.fromEntries(valid), sampleErrors);
    });
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "template_invalid") throw error;
    const diagnostics = error.issues as unknown as TemplateDiagnostic[];
    return { input, content, preview: null, request: null, diagnostics, sampleErrors };
  }
}

export async function requestPreview(
  key: string,
  locale: string,
  body: PreviewRequest["body"],
  signal?: AbortSignal,
): Promise<Preview> {
  const { data } = await previewTemplate({ path: { key }, query: { locale }, body, signal: signal ?? null });
  return data;
}

const VALUE_PREFIX = "variables.";

/** The errors of single sample values in a failed request, by variable. */
function sampleErrorsOf(error: unknown): Record<string, string> {
  const fields = error instanceof ApiError && error.code === "validation_failed" ? error.fields : {};
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([field]) => field.startsWith(VALUE_PREFIX))
      .map(([field, message]) => [field.slice(VALUE_PREFIX.length), message]),
  );
}

function parseInput(input: string): PreviewInput {
  return JSON.parse(input);
}
