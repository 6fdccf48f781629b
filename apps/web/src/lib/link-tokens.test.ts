import { isRedirect } from "@tanstack/react-router";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { forget, keep, kept, takeToken } from "@/lib/link-tokens";

const take = (hash: string) => {
  try {
    return takeToken("/not-me", hash);
  } catch (thrown) {
    return thrown;
  }
};

beforeEach(() => {
  sessionStorage.clear();
  forget("/not-me");
});

afterEach(() => vi.restoreAllMocks());

describe("the token of a link", () => {
  it("is taken out of the address, which is replaced, and kept", () => {
    const thrown = take("token=abc-_1");
    expect(isRedirect(thrown)).toBe(true);
    expect(thrown).toMatchObject({ options: { to: "/not-me", replace: true } });
    expect((thrown as { options: object }).options).not.toHaveProperty("hash");
    expect(take("")).toEqual({ token: "abc-_1" });
    expect(take("content")).toEqual({ token: "abc-_1" });
  });

  it("of a newer link is the one that counts, an empty one too", () => {
    take("token=first");
    take("token=second");
    expect(take("")).toEqual({ token: "second" });
    take("token=");
    expect(take("")).toEqual({ token: null });
  });

  it("is no other page's", () => {
    take("token=abc");
    expect(kept("/reset-password")).toBeNull();
  });

  it("is gone once it is forgotten", () => {
    take("token=abc");
    forget("/not-me");
    expect(take("")).toEqual({ token: null });
    expect(sessionStorage).toHaveLength(0);
  });

  it("is kept in memory where the browser keeps nothing", () => {
    for (const method of ["getItem", "setItem", "removeItem"] as const) {
      vi.spyOn(Storage.prototype, method).mockImplementation(() => {
        throw new DOMException("denied", "SecurityError");
      });
    }
    keep("/not-me", "abc");
    expect(kept("/not-me")).toBe("abc");
    forget("/not-me");
    expect(kept("/not-me")).toBeNull();
  });
});
