import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { previewTemplate } from "@/client/sdk.gen";
import type { Preview, PreviewTemplateData, TemplateDiagnostic, TemplateVariable } from "@/client/types.gen";
import { ApiError } from "@/lib/errors";
import { isPassing } from "@/lib/query-client";
import type { Words } from "../draft/content";

/** Milliseconds without a change, after which the service is asked; typing has paused for 100 before it is told of. */
const PAUSE = 200;
const TRY_AGAIN = 5000;

/** A request that was answered with a preview; `at` is when, in milliseconds. */
export interface Shown {
  body: PreviewTemplateData["body"];
  at: number;
}

export interface Checked {
  /** What the newest answer is about. */
  words: Words;
  /** The last one that could be rendered, and what it was made of. */
  preview: Preview | null;
  shown: Shown | null;
  /** `preview` is of older words, because the newest have errors or are being rendered. */
  stale: boolean;
  /** What is wrong with `words`, in all parts. */
  diagnostics: TemplateDiagnostic[];
  /** What is wrong with sample values, by variable; their examples are shown in their place. */
  problems: Readonly<Record<string, string>>;
  pending: boolean;
  /** The request itself failed: nothing is wrong with the template. */
  error: unknown;
}

interface PreviewInput {
  templateKey: string;
  locale: string;
  words: Words;
  declared: TemplateVariable[];
  samples: Record<string, unknown>;
}

/** Has the service render what is typed, a moment after the last change; null until something is known. */
export function usePreview(input: PreviewInput): Checked | null {
  const place = `${input.templateKey} ${input.locale}`;
  const wanted = JSON.stringify({ ...input, words: partsOf(input.words), samples: declaredOnly(input) });
  const asked = useSettled(wanted, place);
  const query = useQuery({
    queryKey: ["preview", asked],
    queryFn: ({ signal }) => ask(asked, signal),
    networkMode: "always",
    retry: false,
    refetchOnReconnect: true,
    refetchInterval: ({ state }) => (isPassing(state.error) ? TRY_AGAIN : false),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const { newest, good, error } = useLast(place, query.data, query.error);
  const pending = asked !== wanted || query.isFetching;
  return useMemo(() => {
    if (!newest && !error) return null;
    return {
      words: newest?.words ?? wordsOf(wanted),
      preview: good?.preview ?? null,
      shown: good?.shown ?? null,
      stale: good !== null && good.asked !== wanted,
      diagnostics: newest?.diagnostics ?? [],
      problems: newest?.problems ?? {},
      pending,
      error,
    };
  }, [newest, good, error, pending, wanted]);
}

/** Returns a value once it has not changed for a moment; at once in another place. */
function useSettled(wanted: string, place: string): string {
  const [settled, settle] = useState({ wanted, place });
  if (settled.place !== place) settle({ wanted, place });
  useEffect(() => {
    const timer = setTimeout(() => settle({ wanted, place }), PAUSE);
    return () => clearTimeout(timer);
  }, [wanted, place]);
  return settled.place === place ? settled.wanted : wanted;
}

interface Answer {
  asked: string;
  words: Words;
  preview: Preview | null;
  shown: Shown | null;
  diagnostics: TemplateDiagnostic[];
  problems: Readonly<Record<string, string>>;
}

/** Keeps what is known while the next request is under way, and the last preview while there is none. */
function useLast(place: string, answer: Answer | undefined, error: unknown) {
  const nothing = {
    place,
    newest: null as Answer | null,
    good: null as Answer | null,
    error: null as unknown,
  };
  const [kept, keep] = useState(nothing);
  let last = kept.place === place ? kept : nothing;
  if (answer && (answer !== last.newest || last.error)) {
    last = { place, newest: answer, good: answer.preview ? answer : last.good, error: null };
  } else if (!answer && error && error !== last.error) {
    last = { ...last, error };
  }
  if (last !== kept) keep(last);
  return last;
}

async function ask(asked: string, signal: AbortSignal): Promise<Answer> {
  const { templateKey, locale, words, declared, samples } = JSON.parse(asked) as PreviewInput;
  const render = async (variables: Record<string, unknown>, problems: Answer["problems"]) => {
    const body = { ...words, declared, variables };
    const path = { key: templateKey };
    const { data } = await previewTemplate({ path, query: { locale }, body, signal });
    const shown = { body, at: Date.now() };
    return { asked, words, preview: data, shown, diagnostics: data.diagnostics, problems };
  };
  let problems: Record<string, string> = {};
  try {
    return await render(samples, problems).catch((error: unknown) => {
      problems = problemsOf(error);
      if (Object.keys(problems).length === 0) throw error;
      return render(without(samples, problems), problems);
    });
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "template_invalid") throw error;
    const diagnostics = error.issues as unknown as TemplateDiagnostic[];
    return { asked, words, preview: null, shown: null, diagnostics, problems };
  }
}

const VALUE = "variables.";

/** What a refusal says about the values that were sent. */
function problemsOf(error: unknown): Record<string, string> {
  const fields = error instanceof ApiError && error.code === "validation_failed" ? error.fields : {};
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([field]) => field.startsWith(VALUE))
      .map(([field, message]) => [field.slice(VALUE.length), message]),
  );
}

function without<T>(values: Record<string, T>, names: object): Record<string, T> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !Object.hasOwn(names, name)));
}

/** Samples outlive the declarations that they were for, and a value for nothing is refused. */
function declaredOnly({ declared, samples }: PreviewInput): Record<string, unknown> {
  const names = new Set(declared.map(({ name }) => name));
  return Object.fromEntries(Object.entries(samples).filter(([name]) => names.has(name)));
}

/** What is typed alone, whatever else a caller keeps with it. */
function partsOf({ subject, preheader, html, text }: Words): Words {
  return { subject, preheader, html, text };
}

function wordsOf(asked: string): Words {
  return (JSON.parse(asked) as PreviewInput).words;
}
