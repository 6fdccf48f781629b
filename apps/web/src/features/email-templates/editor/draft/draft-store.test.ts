import { beforeEach, describe, expect, it, vi } from "vitest";
import type { EmailTemplate } from "@/client/types.gen";
import { ApiError } from "@/lib/errors";
import type { TemplateContent } from "./content";
import { DraftStore, isConflict } from "./draft-store";
import { LocalDraftStorage } from "./local-draft";

const CONTENT: TemplateContent = {
  subject: "Hello",
  preheader: "",
  html: "<p>Hello</p>",
  text: null,
  variables: [],
};

const storage = () => new LocalDraftStorage("ada", "welcome", "en");

function template(etag: string, draft?: Partial<TemplateContent>): EmailTemplate {
  const saved = { updated_at: "2026-11-01T10:00:00Z", updated_by: "user:bob", diagnostics: [], etag };
  return {
    ...{ key: "welcome", name: "Welcome", description: "", source: "builtin", contains_secrets: false },
    ...{ variables: [], samples: {} },
    ...{ locale: "en", locales: ["en"], etag, published: null, default: CONTENT },
    draft: draft ? { ...CONTENT, ...draft, ...saved } : null,
    ...{ current: { ...CONTENT, ...draft }, current_origin: draft ? "draft" : "builtin", live: CONTENT },
  } as EmailTemplate;
}

/** A server that answers each save when the test says so. */
function manualServer() {
  const requests: {
    content: TemplateContent;
    etag: string;
    respond: (response: EmailTemplate | Error) => void;
  }[] = [];
  const send = (content: TemplateContent, etag: string) =>
    new Promise<EmailTemplate>((resolve, reject) => {
      const respond = (response: EmailTemplate | Error) =>
        response instanceof Error ? reject(response) : resolve(response);
      requests.push({ content, etag, respond });
    });
  return { requests, send };
}

const never = () => new Promise<EmailTemplate>(() => {});

const open = (given = template("v0"), send: typeof never | ReturnType<typeof manualServer>["send"] = never) =>
  new DraftStore(given, send, storage());

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  return () => vi.useRealTimers();
});

describe("the draft store", () => {
  it("starts with the draft, else the published version, else the built-in template, else nothing", () => {
    const subject = (given: EmailTemplate) => open(given).snapshot().content.subject;
    const published = { ...CONTENT, subject: "Third", version: 3, published_at: "", published_by: "cli" };
    expect(subject(template("a", { subject: "Draft" }))).toBe("Draft");
    const ofVersion: Partial<EmailTemplate> = { published, current: published, current_origin: "published" };
    expect(subject({ ...template("v3"), ...ofVersion })).toBe("Third");
    expect(subject(template("v0"))).toBe("Hello");
    expect(subject({ ...template("v0"), default: null, current: null, current_origin: null })).toBe("");
  });

  it("does not lose what is typed during a save, and saves it once more", async () => {
    const { requests, send } = manualServer();
    const draft = open(template("v0"), send);
    draft.edit({ subject: "One" });
    const saved = draft.save();
    draft.edit({ subject: "Two" });
    void draft.save();
    void draft.save();
    expect(requests.map(({ etag }) => etag)).toEqual(["v0"]);
    requests[0]?.respond(template("a", { subject: "One" }));
    await vi.waitFor(() => expect(requests).toHaveLength(2));
    expect(draft.snapshot()).toMatchObject({ content: { subject: "Two" }, dirty: true, saving: true });
    expect(requests[1]).toMatchObject({ content: { subject: "Two" }, etag: "a" });
    requests[1]?.respond(template("b", { subject: "Two" }));
    expect(await saved).toBe(true);
    expect(draft.snapshot()).toMatchObject({ base: { etag: "b" }, dirty: false, saving: false });
    expect(requests).toHaveLength(2);
  });

  it("sends nothing when there is nothing to save", async () => {
    const { requests, send } = manualServer();
    expect(await open(template("v0"), send).save()).toBe(true);
    expect(requests).toEqual([]);
  });

  it("still has everything after a save that failed", async () => {
    const { requests, send } = manualServer();
    const draft = open(template("v0"), send);
    draft.edit({ html: "<p>Mine</p>" });
    const saved = draft.save();
    const conflict = new ApiError("The template was changed.", { status: 409 });
    requests[0]?.respond(conflict);
    expect(await saved).toBe(false);
    expect(draft.snapshot()).toMatchObject({
      content: { html: "<p>Mine</p>" },
      dirty: true,
      saveError: conflict,
    });
    expect(isConflict(conflict)).toBe(true);
    expect(isConflict(new ApiError("Missing", { status: 428 }))).toBe(true);
    expect(isConflict(new ApiError("Away", { status: 503 }))).toBe(false);
  });

  it("takes over what others saved only while there are no unsaved changes", () => {
    const draft = open();
    expect(draft.sync(template("a", { subject: "Theirs" }))).toBe(true);
    expect(draft.snapshot()).toMatchObject({ content: { subject: "Theirs" }, dirty: false, revision: 1 });
    expect(draft.sync(template("b", { subject: "Theirs" }))).toBe(false);
    expect(draft.snapshot().base.etag).toBe("b");
    draft.edit({ subject: "Mine" });
    expect(draft.sync(template("c", { subject: "Theirs again" }))).toBe(false);
    expect(draft.snapshot()).toMatchObject({ content: { subject: "Mine" }, base: { etag: "b" } });
  });

  it("ignores the order of the members of an example", () => {
    const declared = (example: object) => [
      { name: "lines", type: "list" as const, required: true, example: [example], description: "" },
    ];
    const draft = open(template("a", { variables: declared({ text: "Tea", price: 2 }) }));
    draft.edit({ variables: declared({ price: 2, text: "Tea" }) });
    expect(draft.snapshot().dirty).toBe(false);
    draft.edit({ variables: declared({ price: 3, text: "Tea" }) });
    expect(draft.snapshot().dirty).toBe(true);
  });

  it("has no unsaved changes after an edit is undone", () => {
    const draft = open();
    draft.edit({ text: "" });
    expect(draft.snapshot().dirty).toBe(true);
    draft.edit({ text: null });
    expect(draft.snapshot().dirty).toBe(false);
  });
});

describe("unsaved changes", () => {
  /** Type a subject in an earlier visit, and leave. */
  function leaveUnsaved(subject: string) {
    const draft = open();
    draft.edit({ subject });
    draft.flush();
  }

  it("are stored in the browser until they are saved", async () => {
    const { requests, send } = manualServer();
    const draft = open(template("v0"), send);
    draft.edit({ subject: "Mine" });
    expect(storage().load()).toBeNull();
    vi.advanceTimersByTime(400);
    expect(storage().load()).toMatchObject({
      content: { subject: "Mine" },
      base: { etag: "v0", kind: "builtin" },
    });
    const saved = draft.save();
    requests[0]?.respond(template("a", { subject: "Mine" }));
    await saved;
    vi.advanceTimersByTime(400);
    expect(storage().load()).toBeNull();
  });

  it("are stored at once when the page closes", () => {
    leaveUnsaved("Mine");
    expect(storage().load()?.content.subject).toBe("Mine");
  });

  it("are offered to the same user, for the same template and language", () => {
    leaveUnsaved("Mine");
    const recovered = (from: LocalDraftStorage) =>
      new DraftStore(template("v0"), never, from).snapshot().recovered?.content.subject;
    expect(recovered(storage())).toBe("Mine");
    expect(recovered(new LocalDraftStorage("bob", "welcome", "en"))).toBeUndefined();
    expect(recovered(new LocalDraftStorage("ada", "welcome", "de"))).toBeUndefined();
    expect(recovered(new LocalDraftStorage("ada", "new-device", "en"))).toBeUndefined();
  });

  it("keep their base when restored, so that a save notices changes made since", () => {
    leaveUnsaved("Mine");
    const draft = open(template("a", { subject: "Theirs" }));
    draft.restoreRecovered();
    expect(draft.snapshot()).toMatchObject({
      content: { subject: "Mine" },
      base: { etag: "v0" },
      recovered: null,
    });
  });

  it("become a local copy when the user types without restoring them", () => {
    leaveUnsaved("From before");
    const draft = open();
    draft.edit({ subject: "From now" });
    draft.flush();
    expect(storage().load()?.content.subject).toBe("From now");
    expect(storage().loadCopies()).toMatchObject([{ content: { subject: "From before" } }]);
  });

  it("are not offered when they equal the current source or cannot be read", () => {
    const { content, ...base } = open().snapshot().base;
    storage().save({ content, base, at: "2026-11-01T10:00:00Z" });
    expect(open().snapshot().recovered).toBeNull();
    const broken = ["{", "null", "[]", '{"content":{}}', '{"content":{"subject":1},"base":{"etag":"v0"}}'];
    for (const stored of broken) {
      localStorage.setItem("gatepost.editor:ada:welcome:en", stored);
      expect(storage().load()).toBeNull();
    }
  });

  it("are reported as not stored when the browser's storage is full", () => {
    const draft = open();
    const full = vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    draft.edit({ subject: "Mine" });
    draft.flush();
    full.mockRestore();
    expect(draft.snapshot()).toMatchObject({ storedLocally: false, content: { subject: "Mine" } });
  });
});
