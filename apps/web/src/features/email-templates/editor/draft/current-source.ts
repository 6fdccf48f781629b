import type { EmailTemplate } from "@/client/types.gen";
import { contentOf, EMPTY_CONTENT, type TemplateContent } from "./content";

/** Which of a template's sources content was taken from. */
export interface SourceInfo {
  kind: "draft" | "published" | "builtin" | "none";
  /** The ETag of the template, which a save has to name. */
  etag: string;
  /** The number of a published version. */
  version: number | null;
  /** Who saved or published it, as an actor of the audit log. */
  changedBy: string | null;
  changedAt: string | null;
}

export interface CurrentSource extends SourceInfo {
  content: TemplateContent;
}

/** The source that the editor starts with, as the service reports it. */
export function currentSource(template: EmailTemplate): CurrentSource {
  const { current, current_origin: origin, draft, published, etag, variables } = template;
  const content = current ? contentOf(current) : { ...EMPTY_CONTENT, variables };
  const info = { kind: origin ?? "none", etag, version: null, content } as const;
  if (origin === "draft" && draft) {
    return { ...info, changedBy: draft.updated_by, changedAt: draft.updated_at };
  }
  if (origin === "published" && published) {
    const { version, published_by: changedBy, published_at: changedAt } = published;
    return { ...info, version, changedBy, changedAt };
  }
  return { ...info, changedBy: null, changedAt: null };
}

/** What emails in this language are rendered from; null where the language has no content of its own. */
export function contentInUse({ live }: EmailTemplate): TemplateContent | null {
  return live && contentOf(live);
}

/** Whether there is content in the template's language. Without it, `default` is the built-in content of another one. */
export function isTranslated({ locale, locales }: EmailTemplate): boolean {
  return locales.includes(locale);
}
