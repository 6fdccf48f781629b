import { expect, it } from "vitest";
import { readEditorSearch, readListSearch } from "./search-params";

it("reads the editor's query parameters and leaves out defaults", () => {
  expect(readEditorSearch({ locale: "pt-BR", part: "subject", panel: "samples" })).toEqual({
    locale: "pt-BR",
    part: "subject",
    panel: "samples",
  });
  expect(readEditorSearch({ locale: "en", part: "html" })).toEqual({});
});

it.each([{ locale: "EN" }, { locale: "<b>" }, { locale: ["de"] }, { part: "constructor" }, { panel: 1 }, {}])(
  "ignores invalid values: %o",
  (search) => expect(readEditorSearch(search)).toEqual({}),
);

it("reads the list's query parameters", () => {
  expect(readListSearch({ q: " invoice ", locale: "de" })).toEqual({ q: "invoice", locale: "de" });
  expect(readListSearch({ q: "", locale: "en" })).toEqual({});
});
