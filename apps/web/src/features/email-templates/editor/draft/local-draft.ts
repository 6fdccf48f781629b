import type { Copy, Origin } from "./current-source";

/** Unsaved words, kept in this browser. */
export interface Kept {
  copy: Copy;
  /** What they were made from. */
  etag: string;
  origin: Origin;
  at: string;
}

/** Words that a person did not choose, kept until they say that they need them no more. */
export interface Aside {
  name: string;
  at: string;
  copy: Copy;
}

const MOST_ASIDE = 5;

/** The place in this browser for what a person types into one template in one language. */
export class Shelf {
  private readonly place: string;

  constructor(userId: string, key: string, locale: string) {
    this.place = `gatepost.editor:${userId}:${key}:${locale}`;
  }

  kept(): Kept | null {
    const found = read(this.place);
    return isKept(found) ? found : null;
  }

  /** Tells whether it could: a browser may have no room, or allow no storage. */
  keep(kept: Kept): boolean {
    return write(this.place, kept);
  }

  drop(): void {
    remove(this.place);
  }

  asides(): Aside[] {
    const found = read(`${this.place}:aside`);
    return Array.isArray(found) ? found.filter(isAside) : [];
  }

  setAsides(asides: Aside[]): void {
    if (asides.length > 0) write(`${this.place}:aside`, asides.slice(0, MOST_ASIDE));
    else remove(`${this.place}:aside`);
  }
}

function read(place: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(place) ?? "null");
  } catch {
    return null;
  }
}

function write(place: string, value: unknown): boolean {
  try {
    localStorage.setItem(place, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

function remove(place: string): void {
  try {
    localStorage.removeItem(place);
  } catch {
    // Where nothing can be kept, nothing was.
  }
}

function isKept(value: unknown): value is Kept {
  const { etag, origin } = Object(value);
  return isAside({ ...Object(value), name: "" }) && isText(etag) && isText(Object(origin).kind);
}

function isAside(value: unknown): value is Aside {
  const { name, at, copy } = Object(value);
  return isText(name) && isText(at) && !Number.isNaN(Date.parse(at)) && isCopy(copy);
}

function isCopy(value: unknown): value is Copy {
  const { subject, preheader, html, text, variables } = Object(value);
  return [subject, preheader, html, text ?? ""].every(isText) && Array.isArray(variables);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
