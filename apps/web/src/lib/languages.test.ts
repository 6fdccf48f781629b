import { expect, it } from "vitest";
import { languageName } from "./languages";

it("calls a language by its name, and one that nobody knows by its code", () => {
  expect(languageName("fr-CA")).toBe("Canadian French");
  expect(languageName("zh-Hans")).toBe("Simplified Chinese");
  expect(languageName("qqq")).toBe("qqq");
});
