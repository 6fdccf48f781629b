import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SELECTION, SYNTAX } from "./theme";

const css = readFileSync("src/styles.css", "utf8");

function token(name: string): readonly [string, string] {
  const [, light, dark] = new RegExp(`--color-${name}: light-dark\\((#\\w+), (#\\w+)\\)`).exec(css) ?? [];
  if (!light || !dark) throw new Error(`missing token ${name}`);
  return [light, dark];
}

/** WCAG 2.2, "relative luminance". */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

const BACKGROUNDS = {
  surface: token("surface"),
  selection: SELECTION,
  "matched bracket": token("brand-soft"),
  "search match": token("notice-soft"),
  "deleted line": token("danger-soft"),
};

describe.each(Object.entries({ ink: token("ink"), ...SYNTAX }))("%s", (_, colors) => {
  it.each(Object.entries(BACKGROUNDS))("has enough contrast on the %s, light and dark", (_, backgrounds) => {
    expect(contrast(colors[0], backgrounds[0])).toBeGreaterThanOrEqual(4.5);
    expect(contrast(colors[1], backgrounds[1])).toBeGreaterThanOrEqual(4.5);
  });
});
