import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { act, cleanup, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { chooseTheme, type Theme, useTheme } from "@/lib/theme";

const firstPaint = new Function(readFileSync(resolve(import.meta.dirname, "../../public/theme.js"), "utf8"));

/** What is left when the page is loaded anew. */
function reload() {
  delete document.documentElement.dataset.theme;
  firstPaint();
}

beforeEach(() => {
  localStorage.clear();
  delete document.documentElement.dataset.theme;
});

afterEach(cleanup);

describe("the theme", () => {
  it("follows the system until another is chosen", () => {
    firstPaint();
    expect(document.documentElement.dataset.theme).toBeUndefined();
    expect(renderHook(useTheme).result.current).toBe("system");
  });

  it.each<Theme>(["light", "dark"])("is shown and kept when %s is chosen", (theme) => {
    chooseTheme(theme);
    expect(document.documentElement.dataset.theme).toBe(theme);
    reload();
    expect(document.documentElement.dataset.theme).toBe(theme);
    expect(renderHook(useTheme).result.current).toBe(theme);
  });

  it("follows the system again, with nothing kept, once that is chosen", () => {
    chooseTheme("dark");
    chooseTheme("system");
    expect(document.documentElement.dataset.theme).toBeUndefined();
    expect(localStorage).toHaveLength(0);
    reload();
    expect(renderHook(useTheme).result.current).toBe("system");
  });

  it("changes wherever it is shown", () => {
    const [one, other] = [renderHook(useTheme), renderHook(useTheme)];
    act(() => chooseTheme("dark"));
    expect([one.result.current, other.result.current]).toEqual(["dark", "dark"]);
    other.unmount();
    act(() => chooseTheme("light"));
    expect([one.result.current, other.result.current]).toEqual(["light", "dark"]);
  });

  it("is the system's where something else was kept", () => {
    localStorage.setItem("gatepost.theme", "sepia");
    reload();
    expect(document.documentElement.dataset.theme).toBeUndefined();
    expect(renderHook(useTheme).result.current).toBe("system");
  });
});
