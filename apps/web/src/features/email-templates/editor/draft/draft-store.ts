import type { EmailTemplate } from "@/client/types.gen";
import { ApiError } from "@/lib/errors";
import { type Copy, type Standing, same, standing } from "./current-source";
import type { Aside, Kept, Shelf } from "./local-draft";

/** What is on the desk. */
export interface DeskState {
  copy: Copy;
  /** What the copy was made from. */
  base: Standing;
  dirty: boolean;
  saving: boolean;
  /** Why the last save did not. */
  error: unknown;
  /** False when this browser would not keep what is typed. */
  kept: boolean;
  /** Unsaved words of an earlier visit, until the person says what becomes of them. */
  offer: Kept | null;
  asides: Aside[];
  /** Rises with every change that is not the person's typing: the editors take it over. */
  revision: number;
}

type Send = (copy: Copy, etag: string) => Promise<EmailTemplate>;

const KEEP_AFTER = 400;
/** The page hears of typing when it pauses: no keystroke waits for the page. */
const TELL_AFTER = 100;

/**
 * Where a person works on one template in one language. Nothing that is typed is lost: not by a save, of which one runs
 * at a time, nor by what the service tells meanwhile; and what is not saved is kept in this browser.
 */
export class Desk {
  private state: DeskState;
  private readonly listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private telling: ReturnType<typeof setTimeout> | undefined;
  private running: Promise<boolean> | null = null;
  private again = false;

  constructor(
    template: EmailTemplate,
    private readonly send: Send,
    private readonly shelf: Shelf,
  ) {
    const base = standing(template);
    const kept = shelf.kept();
    this.state = {
      copy: base.copy,
      base,
      dirty: false,
      saving: false,
      error: null,
      kept: true,
      offer: kept && !same(kept.copy, base.copy) ? kept : null,
      asides: shelf.asides(),
      revision: 0,
    };
  }

  readonly snapshot = (): DeskState => this.state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Takes over what the person typed. */
  type(change: Partial<Copy>): void {
    // Typing on decides nothing: what was offered stays to be had.
    if (this.state.offer) this.setAside("Unsaved words of an earlier visit", this.state.offer.copy);
    this.change({ copy: { ...this.state.copy, ...change }, offer: null });
    clearTimeout(this.telling);
    this.telling = setTimeout(this.tell, TELL_AFTER);
    this.keepSoon();
  }

  /** Puts other words on the desk; without a base they are changes to what they replace. */
  put(copy: Copy, base = this.state.base): void {
    this.set({ copy, base, error: null, revision: this.state.revision + 1 });
    this.keepSoon();
  }

  /** Learns what the service has now; returns whether that replaced what was on the desk. */
  stands(template: EmailTemplate): boolean {
    const { base, dirty, saving } = this.state;
    if (template.etag === base.etag || dirty || saving) return false;
    const now = standing(template);
    const replaced = !same(now.copy, base.copy);
    if (replaced) this.put(now.copy, now);
    else this.set({ base: now });
    return replaced;
  }

  /** Means to replace what has this tag: the person has seen it. */
  rebase(base: Standing): void {
    this.set({ base, error: null });
    this.keepSoon();
  }

  setAside(name: string, copy: Copy): void {
    this.keepAsides([{ name, copy, at: new Date().toISOString() }, ...this.state.asides]);
  }

  dropAside(aside: Aside): void {
    this.keepAsides(this.state.asides.filter((each) => each !== aside));
  }

  /** Goes on with the unsaved words of an earlier visit. What they were made from may have changed: a save will tell. */
  restoreOffer(): void {
    const { offer, base } = this.state;
    if (!offer) return;
    this.set({ offer: null });
    this.put(offer.copy, { copy: base.copy, etag: offer.etag, origin: offer.origin });
  }

  discardOffer(): void {
    this.set({ offer: null });
    this.shelf.drop();
  }

  /** Throws away what is not saved. */
  discard(): void {
    this.put(this.state.base.copy);
  }

  /** Saves all that is typed by then; returns whether that worked. While a save is under way one more follows it. */
  save(): Promise<boolean> {
    if (this.running) {
      this.again = true;
      return this.running;
    }
    this.running = this.saveAll().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  /** Keeps at once what is not saved: the page may be gone in a moment. */
  readonly flush = (): void => {
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    const { copy, base, dirty, offer } = this.state;
    if (dirty) {
      const at = new Date().toISOString();
      this.set({ kept: this.shelf.keep({ copy, etag: base.etag, origin: base.origin, at }) });
    } else if (!offer) {
      this.shelf.drop();
    }
  };

  private async saveAll(): Promise<boolean> {
    try {
      do {
        this.again = false;
        const { copy, base, dirty } = this.state;
        if (!dirty) break;
        this.set({ saving: true, error: null });
        const saved = await this.send(copy, base.etag);
        this.set({ base: { ...standing(saved), copy } });
      } while (this.again);
      this.set({ saving: false });
      this.keepSoon();
      return true;
    } catch (error) {
      this.set({ saving: false, error });
      return false;
    }
  }

  private keepAsides(asides: Aside[]): void {
    this.shelf.setAsides(asides);
    this.set({ asides });
  }

  private keepSoon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.flush, KEEP_AFTER);
  }

  private set(change: Partial<DeskState>): void {
    this.change(change);
    this.tell();
  }

  private change(change: Partial<DeskState>): void {
    const next = { ...this.state, ...change };
    this.state = { ...next, dirty: !same(next.copy, next.base.copy) };
  }

  private readonly tell = (): void => {
    clearTimeout(this.telling);
    this.telling = undefined;
    for (const listener of this.listeners) listener();
  };
}

/** Tells whether a save was refused because something else stands by now. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 409 || error.status === 428);
}
