"""Inlining of style sheets, and text generated from HTML; the Jinja in both is left unchanged."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

from gatepost.mail.rendering.html.inline import inline_css
from gatepost.mail.rendering.html.markup import ConversionError
from gatepost.mail.rendering.html.plaintext import to_text
from gatepost.mail.rendering.language.render import tidy_text

CSS = "p { color: red } td { padding: 1px } .b { margin: 0 } a { border: 0 } ul li { top: 2px }"
ENVIRONMENT = Environment(autoescape=True, keep_trailing_newline=True)
PLAIN = Environment(autoescape=False, keep_trailing_newline=True)


def page(body: str, css: str = CSS, head: str = "") -> str:
    return f"<!doctype html>\n<html><head><style>{css}</style>{head}</head><body>{body}</body></html>"


def body_of(html: str) -> str:
    return html.partition("<body>")[2].partition("</body>")[0]


def text_of(body: str, **context: Any) -> str:
    return tidy_text(PLAIN.from_string(to_text(page(body))).render(context))


def without_styles(html: str) -> str:
    return re.sub(r"<style>.*?</style>", "", re.sub(r' style="[^"]*"', "", html), flags=re.DOTALL)


def test_rules_become_style_attributes_and_others_stay_in_the_sheet() -> None:
    inlined = inline_css(page("<p>{{ a }}</p>", "p { color: red } p:hover { top: 0 } @media (x) { p { color: blue } }"))
    assert '<p style="color: red;">{{ a }}</p>' in inlined
    assert "@media (x) { p { color: blue } }" in inlined
    assert "p:hover" in inlined


def test_media_queries_stay_in_the_sheet() -> None:
    dark = "@media (prefers-color-scheme: dark) { p { color: #fff !important } }"
    inlined = inline_css(page("<p>x</p>", dark, '<style media="print">p { top: 0 }</style>'))
    assert dark in inlined
    assert '<style media="print">p { top: 0 }</style>' in inlined
    assert body_of(inlined) == "<p>x</p>"


@pytest.mark.parametrize(
    ("body", "inlined"),
    [
        ('<p style="color: {{ c }}">x</p>', '<p style="color: red; color: {{ c }}">x</p>'),
        ("<i style='{{ c }}'>x</i>", "<i style='{{ c }}'>x</i>"),
        ('<i class="{% if a %} b {% endif %}">x</i>', '<i class="{% if a %} b {% endif %}">x</i>'),
        ('<i class="b {{ c }}">x</i>', '<i style="margin: 0;" class="b {{ c }}">x</i>'),
        (
            "{% if a %}<p>{% else %}<p class='b'>{% endif %}x</p>",
            '{% if a %}<p style="color: red;">{% else %}<p style="color: red;margin: 0;" class=\'b\'>{% endif %}x</p>',
        ),
        (
            '<table>{% for i in l %}<tr>{% if i["a"] %}<td>{{ "<" }}</td>{% endif %}</tr>{% endfor %}</table>',
            (
                '<table>{% for i in l %}<tr>{% if i["a"] %}'
                '<td style="padding: 1px;">{{ "<" }}</td>{% endif %}</tr>{% endfor %}</table>'
            ),
        ),
        (
            "<!--[if mso]><p>{% if a %}{{ b }}{% endif %}</p><![endif]-->",
            "<!--[if mso]><p>{% if a %}{{ b }}{% endif %}</p><![endif]-->",
        ),
        (
            "&nbsp;&#123;&#123; x }} <br/> {# note #} {%- if a -%} y {%- endif -%}",
            "&nbsp;&#123;&#123; x }} <br/> {# note #} {%- if a -%} y {%- endif -%}",
        ),
    ],
)
def test_jinja_is_left_unchanged(body: str, inlined: str) -> None:
    assert body_of(inline_css(page(body))) == inlined


def test_a_rule_for_a_class_that_jinja_chooses_stays_in_the_sheet() -> None:
    assert ".b { margin: 0 }" in inline_css(page('<i class="{% if a %}b{% endif %}">x</i><i class="b">y</i>'))


def test_escaped_braces_in_a_style_do_not_become_jinja() -> None:
    inlined = inline_css(page('<p style="font-family: &quot;&#123;&#123; x }}&quot;">x</p>'))
    assert "{{" not in inlined
    assert "&#123;&#123; x }}" in inlined


def test_linked_style_sheets_are_not_read() -> None:
    body = '<link rel="stylesheet" href="/etc/passwd"><b>x</b>'
    assert body_of(inline_css(page(body))) == body


@pytest.mark.parametrize("convert", [inline_css, to_text])
def test_deep_nesting_is_rejected(convert: Any) -> None:
    with pytest.raises(ConversionError):
        convert(page("<div>" * 5000))


LEAVES = st.sampled_from(
    ["x", "{{ a }}", "{{ b['c'] }}", "<p>y</p>", '<a href="{{ a }}">z</a>', '<i class="b">w</i>', "<br>"]
)
CELLS = st.lists(LEAVES, min_size=1, max_size=2).map(lambda inner: f"<td>{''.join(inner)}</td>")


def _controlled(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    around = [
        ("", ""),
        ("{% if t %}", "{% endif %}"),
        ("{% if f %}", "{% endif %}"),
        ("{% for i in l %}", "{% endfor %}"),
    ]
    return st.builds(lambda pair, text: pair[0] + text + pair[1], st.sampled_from(around), inner)


ROWS = st.lists(_controlled(CELLS), min_size=1, max_size=3).map(lambda cells: f"<tr>{''.join(cells)}</tr>")
TABLES = st.lists(_controlled(ROWS), min_size=1, max_size=3).map(
    lambda rows: f"<table><tbody>{''.join(rows)}</tbody></table>"
)
LISTS = st.lists(_controlled(LEAVES.map(lambda leaf: f"<li>{leaf}</li>")), min_size=1, max_size=3).map(
    lambda items: f"<ul>{''.join(items)}</ul>"
)
BODIES = st.lists(_controlled(st.one_of(LEAVES, TABLES, LISTS)), min_size=1, max_size=4).map("".join)
CONTEXT: dict[str, Any] = {"a": "A&<", "b": {"c": "C"}, "t": True, "f": False, "l": [1, 2]}


@given(BODIES)
def test_inlining_before_rendering_gives_the_same_as_after(body: str) -> None:
    inlined_first = ENVIRONMENT.from_string(inline_css(page(body))).render(CONTEXT)
    rendered_first = inline_css(ENVIRONMENT.from_string(page(body)).render(CONTEXT))
    assert body_of(inlined_first) == body_of(rendered_first)


@given(BODIES)
def test_inlining_only_changes_styles(body: str) -> None:
    assert without_styles(inline_css(page(body))) == without_styles(page(body))


@given(BODIES)
def test_the_text_has_the_same_characters_as_the_rendered_html(body: str) -> None:
    text = text_of(body, **CONTEXT)
    expected = to_text(ENVIRONMENT.from_string(page(body)).render(CONTEXT))
    assert "".join(text.split()) == "".join(expected.split())
    assert "\n\n\n" not in text
    assert re.search(r"[ \t]$", text, re.MULTILINE) is None


def test_text_has_links_and_image_texts_and_no_hidden_elements() -> None:
    body = (
        '<div style="display: none">{{ preheader }}{% if a %}x{% endif %}</div><h1>Hi {{ a }}</h1>'
        '<p>Please <a href="{{ url }}">click <b>here</b></a> or <a href="mailto:x@y.example">x@y.example</a>.</p>'
        '<p><a href="{{ url }}">{{ url }}</a> <img src="cid:a" alt="Logo"><img src="cid:b"></p><p>A &amp; B</p>'
    )
    expected = "Hi N\n\nPlease click here (https://u/) or x@y.example.\n\nhttps://u/ Logo\n\nA & B\n"
    assert text_of(body, a="N", url="https://u/") == expected


@pytest.mark.parametrize(("items", "lines"), [([], "A\n\nB\n"), ([1, 2], "A\n\n* 1\n* 2\n\nB\n")])
def test_loops_leave_no_blank_lines(items: list[int], lines: str) -> None:
    assert (
        text_of("<p>A</p>\n<ul>\n{% for i in l %}\n<li>{{ i }}</li>\n{% endfor %}\n</ul>\n<p>B</p>", l=items) == lines
    )


@pytest.mark.parametrize(("a", "lines"), [(True, "A\n\nyes\n\nB\n"), (False, "A\n\nno\n\nB\n")])
def test_conditions_leave_no_blank_lines(a: bool, lines: str) -> None:
    assert text_of("<p>A</p>{% if a %}\n<p>yes</p>\n{% else %}<p>no</p>{% endif %}\n<p>B</p>", a=a) == lines


def test_table_rows_stay_in_their_loop() -> None:
    body = "<table><tr><td>H</td></tr>{% for i in l %}<tr><td>{{ i.a }}</td><td>{{ i.b }}</td></tr>{% endfor %}</table>"
    assert text_of(body, l=[{"a": 1, "b": 2}, {"a": 3, "b": 4}]) == "H\n1 2\n3 4\n"


def test_escaped_braces_are_text() -> None:
    body = "&#123;&#123; a }} &#123;% if %} &#123;{{ a }} {% raw %}{{ b }}{% endraw %}"
    assert text_of(body, a="N") == "{{ a }} {% if %} {N {{ b }}\n"


def test_a_condition_that_begins_in_a_hidden_element_is_rejected() -> None:
    with pytest.raises(ConversionError):
        to_text(page('<p style="display:none">{% if a %}</p>x{% endif %}'))
