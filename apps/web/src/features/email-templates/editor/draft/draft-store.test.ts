import { beforeEach, describe, expect, it, vi } from "vitest";
import type { EmailTemplate } from "@/client/types.gen";
import { ApiError } from "@/lib/errors";
import { type Copy, copyOf } from "./current-source";
import { Desk, isConflict } from "./draft-store";
import { Shelf } from "./local-draft";

const WORDS = { subject: "Hello", preheader: "", html: "<p>Hello</p>", text: null, variables: [] };

const shelf = () => new Shelf("ada", "welcome", "en");

function template(etag: string, draft?: Partial<Copy>): EmailTemplate {
  const saved = { updated_at: "2026-11-01T10:00:00Z", updated_by: "person:bob", diagnostics: [], etag };
  return {
    ...{ key: "welcome", name: "Welcome", description: "", source: "builtin", variables: [], samples: {} },
    ...{ locale: "en", locales: ["en"], etag, published: null, default: WORDS },
    draft: draft ? { ...WORDS, ...draft, ...saved } : null,
  } as EmailTemplate;
}

/** A service that answers each save when it is told to. */
function holding() {
  const asked: { copy: Copy; etag: string; answer: (answer: EmailTemplate | Error) => void }[] = [];
  const send = (copy: Copy, etag: string) =>
    new Promise<EmailTemplate>((resolve, reject) => {
      const answer = (given: EmailTemplate | Error) =>
        given instanceof Error ? reject(given) : resolve(given);
      asked.push({ copy, etag, answer });
    });
  return { asked, send };
}

const never = () => new Promise<EmailTemplate>(() => {});

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  return () => vi.useRealTimers();
});

describe("a desk", () => {
  it("begins with the draft, else what is published, else the built-in words, else nothing", () => {
    const subject = (found: EmailTemplate) => new Desk(found, never, shelf()).snapshot().copy.subject;
    const published = { ...WORDS, subject: "Third", version: 3, published_at: "", published_by: "shell" };
    expect(subject(template("a", { subject: "Draft" }))).toBe("Draft");
    expect(subject({ ...template("v3"), published })).toBe("Third");
    expect(subject(template("v0"))).toBe("Hello");
    expect(subject({ ...template("v0"), default: null })).toBe("");
  });

  it("keeps what is typed while a save is under way, and saves it with one more", async () => {
    const { asked, send } = holding();
    const desk = new Desk(template("v0"), send, shelf());
    desk.type({ subject: "One" });
    const saved = desk.save();
    desk.type({ subject: "Two" });
    void desk.save();
    void desk.save();
    expect(asked.map(({ etag }) => etag)).toEqual(["v0"]);
    asked[0]?.answer(template("a", { subject: "One" }));
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    expect(desk.snapshot()).toMatchObject({ copy: { subject: "Two" }, dirty: true, saving: true });
    expect(asked[1]).toMatchObject({ copy: { subject: "Two" }, etag: "a" });
    asked[1]?.answer(template("b", { subject: "Two" }));
    expect(await saved).toBe(true);
    expect(desk.snapshot()).toMatchObject({ base: { etag: "b" }, dirty: false, saving: false });
    expect(asked).toHaveLength(2);
  });

  it("asks nothing of the service when there is nothing to save", async () => {
    const { asked, send } = holding();
    expect(await new Desk(template("v0"), send, shelf()).save()).toBe(true);
    expect(asked).toEqual([]);
  });

  it("has everything still when a save fails", async () => {
    const { asked, send } = holding();
    const desk = new Desk(template("v0"), send, shelf());
    desk.type({ html: "<p>Mine</p>" });
    const saved = desk.save();
    const conflict = new ApiError("Somebody else was faster.", { status: 409 });
    asked[0]?.answer(conflict);
    expect(await saved).toBe(false);
    expect(desk.snapshot()).toMatchObject({ copy: { html: "<p>Mine</p>" }, dirty: true, error: conflict });
    expect(isConflict(conflict)).toBe(true);
    expect(isConflict(new ApiError("Missing", { status: 428 }))).toBe(true);
    expect(isConflict(new ApiError("Away", { status: 503 }))).toBe(false);
  });

  it("takes over what others saved only where nothing is typed", () => {
    const desk = new Desk(template("v0"), never, shelf());
    expect(desk.stands(template("a", { subject: "Theirs" }))).toBe(true);
    expect(desk.snapshot()).toMatchObject({ copy: { subject: "Theirs" }, dirty: false, revision: 1 });
    expect(desk.stands(template("b", { subject: "Theirs" }))).toBe(false);
    expect(desk.snapshot().base.etag).toBe("b");
    desk.type({ subject: "Mine" });
    expect(desk.stands(template("c", { subject: "Theirs again" }))).toBe(false);
    expect(desk.snapshot()).toMatchObject({ copy: { subject: "Mine" }, base: { etag: "b" } });
  });

  it("does not mind the order that the members of an example come in", () => {
    const declared = (example: object) => [{ name: "lines", type: "list" as const, example: [example] }];
    const desk = new Desk(template("a", { variables: declared({ text: "Tea", price: 2 }) }), never, shelf());
    desk.type({ variables: declared({ price: 2, text: "Tea" }) });
    expect(desk.snapshot().dirty).toBe(false);
    desk.type({ variables: declared({ price: 3, text: "Tea" }) });
    expect(desk.snapshot().dirty).toBe(true);
  });

  it("is not changed by words that are typed and taken back", () => {
    const desk = new Desk(template("v0"), never, shelf());
    desk.type({ text: "" });
    expect(desk.snapshot().dirty).toBe(true);
    desk.type({ text: null });
    expect(desk.snapshot().dirty).toBe(false);
  });
});

describe("what is not saved", () => {
  it("is kept in the browser until it is saved", async () => {
    const { asked, send } = holding();
    const desk = new Desk(template("v0"), send, shelf());
    desk.type({ subject: "Mine" });
    expect(shelf().kept()).toBeNull();
    vi.advanceTimersByTime(400);
    expect(shelf().kept()).toMatchObject({
      copy: { subject: "Mine" },
      etag: "v0",
      origin: { kind: "builtin" },
    });
    const saved = desk.save();
    asked[0]?.answer(template("a", { subject: "Mine" }));
    await saved;
    vi.advanceTimersByTime(400);
    expect(shelf().kept()).toBeNull();
  });

  it("is kept at once when the page goes", () => {
    const desk = new Desk(template("v0"), never, shelf());
    desk.type({ subject: "Mine" });
    desk.flush();
    expect(shelf().kept()?.copy.subject).toBe("Mine");
  });

  it("is offered to the same person, for the same template and language", () => {
    const desk = new Desk(template("v0"), never, shelf());
    desk.type({ subject: "Mine" });
    desk.flush();
    const offered = (shelf: Shelf) => new Desk(template("v0"), never, shelf).snapshot().offer?.copy.subject;
    expect(offered(shelf())).toBe("Mine");
    expect(offered(new Shelf("bob", "welcome", "en"))).toBeUndefined();
    expect(offered(new Shelf("ada", "welcome", "de"))).toBeUndefined();
    expect(offered(new Shelf("ada", "new-device", "en"))).toBeUndefined();
  });

  it("goes on from what it was made from, so that a save shows what came between", () => {
    const before = new Desk(template("v0"), never, shelf());
    before.type({ subject: "Mine" });
    before.flush();
    const desk = new Desk(template("a", { subject: "Theirs" }), never, shelf());
    desk.restoreOffer();
    expect(desk.snapshot()).toMatchObject({ copy: { subject: "Mine" }, base: { etag: "v0" }, offer: null });
  });

  it("is set aside, not lost, by who types on", () => {
    const before = new Desk(template("v0"), never, shelf());
    before.type({ subject: "From before" });
    before.flush();
    const desk = new Desk(template("v0"), never, shelf());
    desk.type({ subject: "From now" });
    desk.flush();
    expect(shelf().kept()?.copy.subject).toBe("From now");
    expect(shelf().asides()).toMatchObject([{ copy: { subject: "From before" } }]);
  });

  it("is not offered when it is what stands, or when nobody could read it", () => {
    shelf().keep({
      copy: copyOf(WORDS),
      etag: "v0",
      origin: new Desk(template("v0"), never, shelf()).snapshot().base.origin,
      at: "2026-11-01T10:00:00Z",
    });
    expect(new Desk(template("v0"), never, shelf()).snapshot().offer).toBeNull();
    for (const broken of ["{", "null", "[]", '{"copy":{}}', '{"copy":{"subject":1},"etag":"v0"}']) {
      localStorage.setItem("gatepost.editor:ada:welcome:en", broken);
      expect(shelf().kept()).toBeNull();
    }
  });

  it("is said not to be kept where the browser has no room", () => {
    const desk = new Desk(template("v0"), never, shelf());
    const full = vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    desk.type({ subject: "Mine" });
    desk.flush();
    full.mockRestore();
    expect(desk.snapshot()).toMatchObject({ kept: false, copy: { subject: "Mine" } });
  });
});
