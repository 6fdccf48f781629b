import type { TemplateContent } from "./content";
import type { SourceInfo } from "./current-source";

/** Unsaved changes, stored in this browser. */
export interface LocalDraft {
  content: TemplateContent;
  /** The source that was edited. */
  base: SourceInfo;
  /** When it was stored, as an RFC 3339 time. */
  at: string;
}

/** Content that was replaced in the editor, stored in this browser until the user discards it. */
export interface LocalCopy {
  name: string;
  at: string;
  content: TemplateContent;
}

const MAX_COPIES = 5;

/** Stores unsaved changes of one user to one template in one language, in `localStorage`. */
export class LocalDraftStorage {
  private readonly draftKey: string;
  private readonly copiesKey: string;

  constructor(userId: string, key: string, locale: string) {
    this.draftKey = `gatepost.editor:${userId}:${key}:${locale}`;
    this.copiesKey = `${this.draftKey}:copies`;
  }

  load(): LocalDraft | null {
    const stored = read(this.draftKey);
    return isLocalDraft(stored) ? stored : null;
  }

  /** Return whether the draft could be stored: storage may be full or disabled. */
  save(draft: LocalDraft): boolean {
    return write(this.draftKey, draft);
  }

  clear(): void {
    remove(this.draftKey);
  }

  loadCopies(): LocalCopy[] {
    const stored = read(this.copiesKey);
    return Array.isArray(stored) ? stored.filter(isLocalCopy) : [];
  }

  saveCopies(copies: LocalCopy[]): void {
    if (copies.length > 0) write(this.copiesKey, copies.slice(0, MAX_COPIES));
    else remove(this.copiesKey);
  }
}

function read(key: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

function write(key: string, value: unknown): boolean {
  try {
    localStorage.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

function remove(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch {
    // Storage is disabled, so nothing is stored.
  }
}

function isLocalDraft(value: unknown): value is LocalDraft {
  const { content, base, at } = Object(value);
  return isContent(content) && isTime(at) && isString(Object(base).etag) && isString(Object(base).kind);
}

function isLocalCopy(value: unknown): value is LocalCopy {
  const { name, at, content } = Object(value);
  return isString(name) && isTime(at) && isContent(content);
}

function isContent(value: unknown): value is TemplateContent {
  const { subject, preheader, html, text, variables } = Object(value);
  return [subject, preheader, html, text ?? ""].every(isString) && Array.isArray(variables);
}

function isTime(value: unknown): boolean {
  return isString(value) && !Number.isNaN(Date.parse(value));
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}
