"""The template grammar: what is allowed, and the position of each error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.rendering import Source, Variable
from gatepost.mail.rendering.html.layout import apply_layout
from gatepost.mail.rendering.language.grammar import MAX_LENGTH, check, check_part
from gatepost.mail.rendering.types import Part

DECLARED = [Variable("name"), Variable("amount", "number"), Variable("items", "list"), Variable("pay_url", "url")]


@pytest.mark.parametrize(
    "source",
    [
        "",
        "plain } text }} { %}",
        "{{ name }}{{ locale }}{{ product_name }}",
        "{{ name | upper | trim | default('x', true) | truncate(20, killwords=true) | e }}",
        "{{ items | length }} {{ items | join(', ', attribute='title') }}",
        "{% if amount > 3 and not (name == 'x' or amount is odd) %}a{% elif name is defined %}b{% else %}c{% endif %}",
        "{% for item in items %}{{ loop.index }}{{ item.title }}{{ item['unit-price'] }}{% else %}none{% endfor %}",
        "{% for a in items %}{% for b in items %}{{ a.x ~ b.x }}{% endfor %}{% endfor %}",
        "{{ (amount + 1) * 2 / 3 - 1 }} {{ 'a' if amount else 'b' }} {{ -amount | abs | round(2) }}",
        "{# a comment, even {{ of.this }} #}",
        "{%- if name -%} a {%- endif -%}",
        "{{ name in 'abc' }} {{ none is none }}",
    ],
)
@pytest.mark.parametrize("part", ["html", "text", "subject", "preheader"])
def test_allowed_templates(part: Part, source: str) -> None:
    assert check_part(part, source, DECLARED) == []


@pytest.mark.parametrize(
    ("source", "rule", "line", "column"),
    [
        ("a\n  {{ nmae }}", "unknown-variable", 2, 6),
        ("{% if x %}\r\n{% endif %}", "unknown-variable", 1, 7),
        ("\n{{ name | center(3) }}", "forbidden-filter", 2, 11),
        ("{{ name is string }}", "forbidden-test", 1, 12),
        ("é 👩 {{ name.upper() }}", "forbidden-expression", 1, 18),
        ("{{ amount ** 2 }}", "forbidden-expression", 1, 11),
        ("{{ amount // 2 }}", "forbidden-expression", 1, 11),
        ("{{ items }}", "forbidden-expression", 1, 4),
        ("{{ name if amount }}", "forbidden-expression", 1, 9),
        ("x\n{%- set x = 1 %}", "forbidden-tag", 2, 5),
        ("x {% raw %}{% endraw %}", "forbidden-tag", 1, 3),
        ("{% endfi %}", "forbidden-tag", 1, 4),
        ("{% endif %}", "syntax", 1, 4),
        ("a\n {{ name $ }}", "syntax", 2, 10),
        ("{{ name amount }}", "syntax", 1, 9),
        ("a {# b", "syntax", 1, 3),
        ("a {#", "syntax", 1, 3),
        ("{{ 99999999999999999 }}", "forbidden-expression", 1, 1),
        ("ab\x07", "control-character", 1, 3),
        ("\n\u202e", "control-character", 2, 1),
        ("{% for name in items %}{% endfor %}", "forbidden-expression", 1, 8),
        ("{% for i in name %}{% endfor %}", "forbidden-expression", 1, 13),
        ("{% for i in items %}{% endfor %}{{ i }}", "unknown-variable", 1, 36),
        ("{% for i in items %}{{ loop.index }}{% endfor %}{{ loop.index }}", "forbidden-expression", 1, 52),
    ],
)
def test_an_error_has_its_rule_and_position(source: str, rule: str, line: int, column: int) -> None:
    found = check_part("html", source, DECLARED)
    assert [(one.rule, one.line, one.column, one.severity) for one in found[:1]] == [(rule, line, column, "error")]


def test_the_most_similar_name_is_suggested() -> None:
    [found] = check_part("html", "{{ nmae }}", DECLARED)
    assert found.msg == 'There is no variable "nmae". Declare it or correct the name. Did you mean "name"?'


def test_subjects_are_one_safe_line() -> None:
    assert check_part("subject", "Hi {{ name }}\n", DECLARED) == []
    for unsafe in ("a\nb", "a\rb", "a\tb", "a\x00", "a\u2028", "a\u202e", "=?utf-8?q?=0aBcc?=", "\x85"):
        [found] = check_part("subject", unsafe, DECLARED)
        assert found.rule == "subject-unsafe"
    [found] = check_part("subject", "{{ 'a\\nBcc: x' }}", DECLARED)
    assert found.rule == "control-character"
    [found] = check(Source("  ", "x", "x"), [])
    assert (found.part, found.rule) == ("subject", "empty-subject")


@pytest.mark.parametrize("part", ["html", "text", "subject", "preheader"])
def test_size_limits(part: Part) -> None:
    assert [one.rule for one in check_part(part, "x" * (MAX_LENGTH[part] + 1), [])] == ["too-large"]
    if part == "html":
        assert [one.rule for one in check_part(part, "{{ 1 }}" * 5000, [])] == ["too-large"]


@pytest.mark.parametrize(
    "source",
    [
        "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
        "{{ " + "1+" * 100 + "1 }}",
        "{% if 1 %}" * 41 + "{% endif %}" * 41,
    ],
)
def test_nesting_limits(source: str) -> None:
    assert [one.rule for one in check_part("html", source, [])] == ["too-deep"]


def test_unused_variables_are_reported() -> None:
    source = Source("{{ name }}", "{% for i in items %}{% endfor %}", None, "{{ pay_url }}")
    [found] = check(source, DECLARED)
    assert (found.part, found.rule, found.severity, found.line) == ("variables", "unused-variable", "warning", 2)


@given(st.text(alphabet="{}%#ab \n'\"|.()[]-+~*<=1nameif", max_size=60))
def test_any_input_gives_diagnostics_with_valid_positions(source: str) -> None:
    lines = source.split("\n")
    for found in check_part("html", source, DECLARED):
        assert 1 <= found.line <= len(lines)
        assert 1 <= found.column <= len(lines[found.line - 1]) + 1


def test_content_is_inserted_into_the_layout() -> None:
    layout = "<html>\n<!-- preheader -->\n<!-- content -->\n</html>"
    page = apply_layout(
        Source("s", "<p>{{ name }}</p>", None, 'A & "{{ "<" ~ name }}" {%- if 1 < 2 %} < {% endif %}'), layout
    )
    assert page.split("\n") == [
        "<html>",
        'A &amp; &quot;{{ "<" ~ name }}&quot; {%- if 1 < 2 %} &lt; {% endif %}',
        "<p>{{ name }}</p>",
        "</html>",
    ]
    whole = apply_layout(Source("s", "<HTML><!-- preheader -->x", None, "<b>"), layout)
    assert whole == "<HTML>&lt;b&gt;x"
    assert apply_layout(Source("s", "<!-- preheader --><!-- content -->", None, "p"), layout).count("p\n") == 1
    with pytest.raises(ValueError, match="no line"):
        apply_layout(Source("s", "x"), "<html></html>")
