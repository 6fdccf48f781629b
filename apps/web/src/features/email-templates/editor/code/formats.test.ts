import { html } from "@codemirror/lang-html";
import { EditorSelection, EditorState } from "@codemirror/state";
import { describe, expect, it } from "vitest";
import { type Format, formatsAt, insertion, toggle } from "./formats";
import { templateLanguage } from "./language";

/** A document in which `[` and `]` enclose a selection, and `|` is a cursor. */
function stateOf(marked: string): EditorState {
  const ranges: [number, number][] = [];
  let doc = "";
  let from: number | undefined;
  for (const sign of marked) {
    if (sign === "[") from = doc.length;
    else if (sign === "]") ranges.push([from ?? 0, doc.length]);
    else if (sign === "|") ranges.push([doc.length, doc.length]);
    else doc += sign;
  }
  const selection = EditorSelection.create(
    ranges.map(([anchor, head]) => EditorSelection.range(anchor, head)),
  );
  return EditorState.create({
    doc,
    selection,
    extensions: [EditorState.allowMultipleSelections.of(true), templateLanguage("html")],
  });
}

function marked(state: EditorState): string {
  let text = state.doc.toString();
  for (const { from, to, empty } of [...state.selection.ranges].reverse()) {
    const within = empty ? "|" : `[${text.slice(from, to)}]`;
    text = text.slice(0, from) + within + text.slice(to);
  }
  return text;
}

function toggled(format: Format, before: string): string {
  let state = stateOf(before);
  toggle(format)({ state, dispatch: (tr) => (state = tr.state) });
  return marked(state);
}

describe("adding a format", () => {
  it.each<[Format, string, string]>([
    ["bold", "<p>a [b] c</p>", "<p>a <strong>[b]</strong> c</p>"],
    ["italic", "<p>a | c</p>", "<p>a <em>|</em> c</p>"],
    ["bold", "<p>[a] b [c]</p>", "<p><strong>[a]</strong> b <strong>[c]</strong></p>"],
    ["link", "<p>see [our site] now</p>", '<p>see <a href="[https://]">our site</a> now</p>'],
    [
      "link",
      "<p>[https://a.example/b]</p>",
      '<p><a href="[https://a.example/b]">https://a.example/b</a></p>',
    ],
    ["image", '<p>[a "b"]</p>', '<p><img src="[https://]" alt="a &quot;b&quot;" width="518"></p>'],
    ["list", "[one\ntwo]", "[<ul>\n<li>one</li>\n<li>two</li>\n</ul>]"],
    ["list", "<p>|</p>", "<ul>\n<li>|</li>\n</ul>"],
    ["list", "<p>o|n|e</p>", "|<ul>\n<li>one|</li>\n</ul>"],
    ["list", "<p>o|ne</p>", "<ul>\n<li>one|</li>\n</ul>"],
    [
      "list",
      "[{% for x in xs %}\n<p>{{ x }}</p>\n{% endfor %}]",
      "[<ul>\n{% for x in xs %}\n<li>{{ x }}</li>\n{% endfor %}\n</ul>]",
    ],
  ])("%s: %s", (format, before, after) => expect(toggled(format, before)).toBe(after));

  it("adds a button as a table, which every email client renders", () => {
    const made = toggled("button", '<p>[<a href="{{ verify_url }}">Confirm</a>]</p>');
    expect(made).toMatch(/^<table role="presentation" class="button"/);
    expect(made).toContain('<a class="button-link" href="[{{ verify_url }}]">Confirm</a>');
    expect(made).not.toContain("<p>");
  });

  it.each([
    ["Jinja tags", "<p>{{ na|me }}</p>", "<p><strong>[{{ name }}]</strong></p>"],
    ["elements", "<p>a [b <em>c] d</em></p>", "<p>a <strong>[b <em>c d</em>]</strong></p>"],
    [
      "Jinja blocks",
      "<p>[a {% if x %}b] c{% endif %}</p>",
      "<p><strong>[a {% if x %}b c{% endif %}]</strong></p>",
    ],
  ])("does not split %s", (_, before, after) => expect(toggled("bold", before)).toBe(after));
});

describe("removing a format", () => {
  it.each<[Format, string, string]>([
    ["bold", "<p>a <strong>[b]</strong> c</p>", "<p>a [b] c</p>"],
    ["bold", "<p>a [<b>b</b>] c</p>", "<p>a [b] c</p>"],
    ["bold", "<p><strong>a [b] c</strong></p>", "<p>a [b] c</p>"],
    ["bold", "<p><b>{{ na|me }}</b></p>", "<p>{{ na|me }}</p>"],
    ["italic", "<p><EM>a|</EM></p>", "<p>a|</p>"],
    ["bold", "<p><b>[a] [c]</b></p>", "<p>[a] [c]</p>"],
    ["link", '<p><a href="{{ url }}">he|re</a></p>', "<p>he|re</p>"],
    ["image", '<p><img sr|c="https://a.example/x.png" alt="A pen"></p>', "<p>[A pen]</p>"],
    ["list", "<ul>\n<li>o|ne</li>\n<li>two</li>\n</ul>", "<p>o|ne</p>\n<p>two</p>"],
  ])("%s: %s", (format, before, after) => expect(toggled(format, before)).toBe(after));

  it("turns a button back into a link", () => {
    const [made = ""] = [toggled("button", '<p>[<a href="{{ url }}">Go</a>]</p>')];
    expect(toggled("button", made)).toBe('<p><a href="{{ url }}">[Go]</a></p>');
  });
});

describe("the selection", () => {
  it.each<[string, Format[]]>([
    ["<p>a|</p>", []],
    ["<p><b><i>a|</i></b></p>", ["bold", "italic"]],
    ["<p>a <b>[b</b> c]</p>", []],
    ["<p>|<b>b</b></p>", []],
    ['<ul><li><a href="x">{{ a| }}</a></li></ul>', ["link", "list"]],
    ['<table class="button"><tr><td><a class="button-link" href="x">a|</a></td></tr></table>', ["button"]],
    ['<table class="buttons"><tr><td>a|</td></tr></table>', []],
  ])("in %s has the formats %o", (before, formats) => expect(formatsAt(stateOf(before))).toEqual(formats));

  it("is replaced by inserted text", () => {
    expect(marked(insertion(stateOf("Hello [you]!"), "{{ name }}").state)).toBe("Hello {{ name }}|!");
  });

  it("is not changed in a read-only editor", () => {
    const state = EditorState.create({ doc: "a", extensions: [html(), EditorState.readOnly.of(true)] });
    expect(toggle("bold")({ state, dispatch: () => expect.unreachable() })).toBe(false);
  });
});
