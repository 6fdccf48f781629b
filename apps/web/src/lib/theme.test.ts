import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { act, cleanup, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { chooseTheme, type Theme, useTheme } from "@/lib/theme";

const firstPaint = new Function(readFileSync(resolve(import.meta.dirname, "../../public/theme.js"), "utf8"));

/** Does what a reload of the page does. */
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

  it.each<Theme>(["light", "dark"])("is applied and stored when %s is chosen", (theme) => {
    chooseTheme(theme);
    expect(document.documentElement.dataset.theme).toBe(theme);
    reload();
    expect(document.documentElement.dataset.theme).toBe(theme);
    expect(renderHook(useTheme).result.current).toBe(theme);
  });

  it("follows the system again, with nothing stored, when that is chosen", () => {
    chooseTheme("dark");
    chooseTheme("system");
    expect(document.documentElement.dataset.theme).toBeUndefined();
    expect(localStorage).toHaveLength(0);
    reload();
    expect(renderHook(useTheme).result.current).toBe("system");
  });

  it("changes in all places that show it", () => {
    const [one, other] = [renderHook(useTheme), renderHook(useTheme)];
    act(() => chooseTheme("dark"));
    expect([one.result.current, other.result.current]).toEqual(["dark", "dark"]);
    other.unmount();
    act(() => chooseTheme("light"));
    expect([one.result.current, other.result.current]).toEqual(["light", "dark"]);
  });

  it("follows the system when an unknown theme was stored", () => {
    localStorage.setItem("gatepost.theme", "sepia");
    reload();
    expect(document.documentElement.dataset.theme).toBeUndefined();
    expect(renderHook(useTheme).result.current).toBe("system");
  });
});
