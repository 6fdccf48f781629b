import { isRedirect } from "@tanstack/react-router";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { takeToken } from "@/lib/link-tokens";
import { getTabValue, removeTabValue, setTabValue } from "@/lib/tab-storage";

const take = (hash: string) => {
  try {
    return takeToken("/not-me", hash);
  } catch (thrown) {
    return thrown;
  }
};

beforeEach(() => {
  sessionStorage.clear();
  removeTabValue("/not-me");
});

afterEach(() => vi.restoreAllMocks());

describe("the token of a link", () => {
  it("is taken out of the URL, which is replaced, and stored", () => {
    const thrown = take("token=abc-_1");
    expect(isRedirect(thrown)).toBe(true);
    expect(thrown).toMatchObject({ options: { to: "/not-me", replace: true } });
    expect((thrown as { options: object }).options).not.toHaveProperty("hash");
    expect(take("")).toEqual({ token: "abc-_1" });
    expect(take("content")).toEqual({ token: "abc-_1" });
  });

  it("is replaced by that of a newer link, an empty one too", () => {
    take("token=first");
    take("token=second");
    expect(take("")).toEqual({ token: "second" });
    take("token=");
    expect(take("")).toEqual({ token: null });
  });

  it("is stored for its own page only", () => {
    take("token=abc");
    expect(getTabValue("/reset-password")).toBeNull();
  });

  it("is gone once it is removed", () => {
    take("token=abc");
    removeTabValue("/not-me");
    expect(take("")).toEqual({ token: null });
    expect(sessionStorage).toHaveLength(0);
  });

  it("is stored in memory where the browser has no storage", () => {
    for (const method of ["getItem", "setItem", "removeItem"] as const) {
      vi.spyOn(Storage.prototype, method).mockImplementation(() => {
        throw new DOMException("denied", "SecurityError");
      });
    }
    setTabValue("/not-me", "abc");
    expect(getTabValue("/not-me")).toBe("abc");
    removeTabValue("/not-me");
    expect(getTabValue("/not-me")).toBeNull();
  });
});
