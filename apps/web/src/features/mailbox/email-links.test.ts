import { describe, expect, it } from "vitest";
import { htmlLinks, splitAtUrls } from "./email-links";

describe("the links in HTML", () => {
  it("are found once each, in order, with their text", () => {
    const html = `<html><head><style>a{color:red}</style></head><body style="margin:0">
      <a style='x' href="https://a.example/b?c=1&amp;d=2#token=x-_1"> Not
      <b>me</b> </a><a href="https://a.example/b?c=1&amp;d=2#token=x-_1">Again</a>
      <a HREF='mailto:ada@example.com'><img src="x.png"></a></body></html>`;
    expect(htmlLinks(html)).toEqual([
      { href: "https://a.example/b?c=1&d=2#token=x-_1", label: "Not me" },
      { href: "mailto:ada@example.com", label: "mailto:ada@example.com" },
    ]);
  });

  it.each([
    "javascript:alert(1)",
    " JavaScript:alert(1)",
    "data:text/html,x",
    "//a.example",
    "/devices",
    "#x",
    "",
  ])("are not %o", (href) => expect(htmlLinks(`<a href="${href}">x</a>`)).toEqual([]));

  it("are all found after styles", () => {
    const html = `<style>.a > .b{}</style><p><a href="https://a.example/style">a style = b</a><style></style><a href="https://b.example">b</a>`;
    expect(htmlLinks(html).map((link) => link.href)).toEqual([
      "https://a.example/style",
      "https://b.example",
    ]);
  });
});

describe("the URLs in a text", () => {
  const hrefs = (text: string) => splitAtUrls(text).flatMap((part) => part.href ?? []);

  it.each([
    ["See https://a.example/b#token=x-_1.", "https://a.example/b#token=x-_1"],
    ["(http://127.0.0.1:8000/devices).", "http://127.0.0.1:8000/devices"],
    ["https://a.example/x_(y)", "https://a.example/x_(y)"],
    ["<https://a.example/b>, or", "https://a.example/b"],
    ["Really https://a.example?!", "https://a.example"],
  ])("%s", (text, href) => {
    expect(hrefs(text)).toEqual([href]);
    expect(
      splitAtUrls(text)
        .map((part) => part.text)
        .join(""),
    ).toBe(text);
  });

  it("are none without http or https", () => {
    expect(splitAtUrls("Nothing: javascript:alert(1) a.example")).toEqual([
      { text: "Nothing: javascript:alert(1) a.example" },
    ]);
    expect(splitAtUrls("")).toEqual([]);
  });
});
