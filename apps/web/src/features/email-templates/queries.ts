import { queryOptions } from "@tanstack/react-query";
import {
  listTemplatesOptions,
  listTemplateVersionsOptions,
  readTemplateLanguageOptions,
  readTemplateOptions,
  readTemplateVersionOptions,
} from "@/client/@tanstack/react-query.gen";

/** Every template, with its state in one language. */
export const templatesQuery = (locale: string) => listTemplatesOptions({ query: { locale } });

/** One template in one language; refetched whenever the page gets the focus. */
export const templateQuery = (key: string, locale: string) =>
  queryOptions({ ...readTemplateOptions({ path: { key }, query: { locale } }), staleTime: 0 });

/** The template language: tags, filters, tests and global variables. It changes only with the server's version. */
export const languageQuery = () =>
  queryOptions({ ...readTemplateLanguageOptions(), staleTime: Number.POSITIVE_INFINITY });

/** The published versions in one language, newest first. */
export const versionsQuery = (key: string, locale: string) =>
  listTemplateVersionsOptions({ path: { key }, query: { locale, limit: 100 } });

/** One published version, which never changes. */
export const versionQuery = (key: string, locale: string, version: number) =>
  queryOptions({
    ...readTemplateVersionOptions({ path: { key, version }, query: { locale } }),
    staleTime: Number.POSITIVE_INFINITY,
  });
