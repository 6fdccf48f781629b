import type { EmailTemplate } from "@/client/types.gen";
import { ApiError } from "@/lib/errors";
import { isSameContent, type TemplateContent } from "./content";
import { type CurrentSource, currentSource } from "./current-source";
import type { LocalCopy, LocalDraft, LocalDraftStorage } from "./local-draft";

export interface DraftState {
  content: TemplateContent;
  /** The source that the content is based on. A save replaces exactly this one. */
  base: CurrentSource;
  /** There are unsaved changes. */
  dirty: boolean;
  saving: boolean;
  /** Why the last save failed; null after a save that worked. */
  saveError: unknown;
  /** False when this browser could not store the unsaved changes. */
  storedLocally: boolean;
  /** Unsaved changes from an earlier visit, until the user restores or discards them. */
  recovered: LocalDraft | null;
  localCopies: LocalCopy[];
  /** Increases with every change of the content that the user did not type; the code editors then take it over. */
  revision: number;
}

type SendDraft = (content: TemplateContent, etag: string) => Promise<EmailTemplate>;

const STORE_DELAY_MS = 400;
/** Listeners hear of typing after this pause, so that a keystroke does not wait for the page to render. */
const NOTIFY_DELAY_MS = 100;

/**
 * The content of one template in one language while it is edited. Saves run one at a time and never lose what is typed
 * meanwhile; unsaved changes are also stored in this browser. Compatible with `useSyncExternalStore`.
 */
export class DraftStore {
  private state: DraftState;
  private readonly listeners = new Set<() => void>();
  private storeTimer: ReturnType<typeof setTimeout> | undefined;
  private notifyTimer: ReturnType<typeof setTimeout> | undefined;
  private running: Promise<boolean> | null = null;
  private saveAgain = false;

  constructor(
    template: EmailTemplate,
    private readonly send: SendDraft,
    private readonly storage: LocalDraftStorage,
  ) {
    const base = currentSource(template);
    const stored = storage.load();
    this.state = {
      content: base.content,
      base,
      dirty: false,
      saving: false,
      saveError: null,
      storedLocally: true,
      recovered: stored && !isSameContent(stored.content, base.content) ? stored : null,
      localCopies: storage.loadCopies(),
      revision: 0,
    };
  }

  readonly snapshot = (): DraftState => this.state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Apply what the user typed. */
  edit(change: Partial<TemplateContent>): void {
    const { content, recovered } = this.state;
    // Typing neither restores nor discards the changes from an earlier visit, so they become a copy.
    if (recovered) this.addCopy("Unsaved changes from an earlier visit", recovered.content);
    this.update({ content: { ...content, ...change }, recovered: null });
    clearTimeout(this.notifyTimer);
    this.notifyTimer = setTimeout(this.notify, NOTIFY_DELAY_MS);
    this.storeSoon();
  }

  /** Replace the content. Without a base, the new content counts as unsaved changes to the present one. */
  replace(content: TemplateContent, base = this.state.base): void {
    this.set({ content, base, saveError: null, revision: this.state.revision + 1 });
    this.storeSoon();
  }

  /** Take over what the server has now, unless there are unsaved changes; return whether the content was replaced. */
  sync(template: EmailTemplate): boolean {
    const { base, dirty, saving } = this.state;
    if (template.etag === base.etag || dirty || saving) return false;
    const current = currentSource(template);
    const replaced = !isSameContent(current.content, base.content);
    if (replaced) this.replace(current.content, current);
    else this.set({ base: current });
    return replaced;
  }

  /** Make the unsaved changes apply to another source, which the user has seen. */
  rebase(base: CurrentSource): void {
    this.set({ base, saveError: null });
    this.storeSoon();
  }

  addCopy(name: string, content: TemplateContent): void {
    this.setCopies([{ name, content, at: new Date().toISOString() }, ...this.state.localCopies]);
  }

  removeCopy(copy: LocalCopy): void {
    this.setCopies(this.state.localCopies.filter((each) => each !== copy));
  }

  /** Continue with the changes from an earlier visit. If the template changed since then, the next save is a conflict. */
  restoreRecovered(): void {
    const { recovered, base } = this.state;
    if (!recovered) return;
    this.set({ recovered: null });
    this.replace(recovered.content, { ...recovered.base, content: base.content });
  }

  discardRecovered(): void {
    this.set({ recovered: null });
    this.storage.clear();
  }

  discardChanges(): void {
    this.replace(this.state.base.content);
  }

  /** Save everything that is typed; return whether that worked. A call during a save makes one more save follow it. */
  save(): Promise<boolean> {
    if (this.running) {
      this.saveAgain = true;
      return this.running;
    }
    this.running = this.saveAll().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  /** Store unsaved changes in the browser at once, for when the page is about to close. */
  readonly flush = (): void => {
    if (this.storeTimer === undefined) return;
    clearTimeout(this.storeTimer);
    this.storeTimer = undefined;
    const { content, base, dirty, recovered } = this.state;
    if (dirty) {
      const { content: _, ...info } = base;
      const at = new Date().toISOString();
      this.set({ storedLocally: this.storage.save({ content, base: info, at }) });
    } else if (!recovered) {
      this.storage.clear();
    }
  };

  private async saveAll(): Promise<boolean> {
    try {
      do {
        this.saveAgain = false;
        const { content, base, dirty } = this.state;
        if (!dirty) break;
        this.set({ saving: true, saveError: null });
        const saved = await this.send(content, base.etag);
        this.set({ base: { ...currentSource(saved), content } });
      } while (this.saveAgain);
      this.set({ saving: false });
      this.storeSoon();
      return true;
    } catch (error) {
      this.set({ saving: false, saveError: error });
      return false;
    }
  }

  private setCopies(localCopies: LocalCopy[]): void {
    this.storage.saveCopies(localCopies);
    this.set({ localCopies });
  }

  private storeSoon(): void {
    clearTimeout(this.storeTimer);
    this.storeTimer = setTimeout(this.flush, STORE_DELAY_MS);
  }

  private set(change: Partial<DraftState>): void {
    this.update(change);
    this.notify();
  }

  private update(change: Partial<DraftState>): void {
    const next = { ...this.state, ...change };
    this.state = { ...next, dirty: !isSameContent(next.content, next.base.content) };
  }

  private readonly notify = (): void => {
    clearTimeout(this.notifyTimer);
    this.notifyTimer = undefined;
    for (const listener of this.listeners) listener();
  };
}

/** Whether a save failed because the template was changed by another save. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 409 || error.status === 428);
}
