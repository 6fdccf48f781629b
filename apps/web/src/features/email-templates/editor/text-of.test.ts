import { expect, it } from "vitest";
import { textOf } from "./text-of";

it("says what the HTML says, with its variables still in it", () => {
  const html = `<style>p { color: red }</style><!-- a note -->
    <h1>Invoice {{ number }}</h1>
    <p>Hello {{ name }},
       here&nbsp;it is &amp; thank you.<br>Bye</p>
    {% if url %}<p><a class="b" href="{{ url }}">Pay <b>now</b></a></p>{% endif %}`;
  expect(textOf(html)).toBe(
    "Invoice {{ number }}\n\nHello {{ name }}, here\u00a0it is & thank you.\n\nBye\n\n{% if url %}Pay now: {{ url }}\n\n{% endif %}\n",
  );
});

it("makes nothing of what only looks like a tag", () => {
  expect(textOf("<p>{% if a < b %}less{% endif %}</p>")).toBe("{% if a < b %}less{% endif %}\n");
});
