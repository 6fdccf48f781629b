import { queryOptions } from "@tanstack/react-query";
import {
  listTemplateVersionsOptions,
  readTemplateLanguageOptions,
  readTemplateOptions,
  readTemplateVersionOptions,
} from "@/client/@tanstack/react-query.gen";

/** A template in one language, as it stands: asked for whenever a person comes back to the page. */
export const template = (key: string, locale: string) =>
  queryOptions({ ...readTemplateOptions({ path: { key }, query: { locale } }), staleTime: 0 });

/** What templates may be written with: the same for all, as long as the service runs. */
export const grammar = () =>
  queryOptions({ ...readTemplateLanguageOptions(), staleTime: Number.POSITIVE_INFINITY });

/** What was ever published in one language, the newest first. */
export const versions = (key: string, locale: string) =>
  listTemplateVersionsOptions({ path: { key }, query: { locale, limit: 100 } });

/** One published version; it never changes. */
export const version = (key: string, locale: string, number: number) =>
  queryOptions({
    ...readTemplateVersionOptions({ path: { key, version: number }, query: { locale } }),
    staleTime: Number.POSITIVE_INFINITY,
  });
