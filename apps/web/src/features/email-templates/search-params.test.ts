import { expect, it } from "vitest";
import { readSearch } from "./search-params";

it("reads where one is from an address, and leaves out what is the default", () => {
  expect(readSearch({ locale: "pt-BR", part: "subject", panel: "samples" })).toEqual({
    locale: "pt-BR",
    part: "subject",
    panel: "samples",
  });
  expect(readSearch({ locale: "en", part: "html" })).toEqual({});
});

it.each([{ locale: "EN" }, { locale: "<b>" }, { locale: ["de"] }, { part: "constructor" }, { panel: 1 }, {}])(
  "takes nothing else: %o",
  (search) => expect(readSearch(search)).toEqual({}),
);
