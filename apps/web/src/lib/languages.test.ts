import { expect, it } from "vitest";
import { languageName } from "./languages";

it("returns the name of a language, and an unknown code as it is", () => {
  expect(languageName("fr-CA")).toBe("Canadian French");
  expect(languageName("zh-Hans")).toBe("Simplified Chinese");
  expect(languageName("qqq")).toBe("qqq");
});
