"""Rendering by itself: even a template that the grammar never saw does no harm."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.rendering.language.render import compile_template, render
from gatepost.mail.rendering.shapes import Prepared, Rendered
from gatepost.mail.rendering.types import TemplateRefused

VALUES: dict[str, Any] = {
    "name": "Zoë <b>",
    "amount": 7,
    "half": 2.5,
    "yes": True,
    "nothing": None,
    "empty": [],
    "items": [{"a": "x", "b-c": 1}, {"a": "<y>", "b-c": 2}],
}


def rendered(source: str, part: str = "html", **values: Any) -> str:
    parts = {"subject": "s", "html": "h", "text": "t", part: source}
    done = render(compile_template(Prepared("", **parts)), VALUES | values)
    assert isinstance(done, Rendered)
    return str(getattr(done, part))


def failing(source: str, part: str = "html", **values: Any) -> tuple[str, str, int]:
    with pytest.raises(TemplateRefused) as refused:
        rendered(source, part, **values)
    [found] = refused.value.diagnostics
    assert found.part == part
    assert "0x" not in found.msg
    assert "<" not in found.msg
    return found.rule, found.msg, found.line


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ name }}", "Zoë &lt;b&gt;"),
        ("{{ name | e }}{{ name | escape }}", "Zoë &lt;b&gt;" * 2),
        ("{{ '<i>' }}{{ '<i>' ~ name }}", "&lt;i&gt;&lt;i&gt;Zoë &lt;b&gt;"),
        (
            "{{ amount }} {{ half }} {{ yes }} {{ nothing }} {{ amount / 2 }} {{ amount + 1 * 2 - 3 }}",
            "7 2.5 true  3.5 6",
        ),
        ("{{ amount | round }} {{ half | round(1, 'floor') }} {{ -3 | abs }}", "7 2.5 3"),
        ("{{ items | length }} {{ items | join('<br>', attribute='a') }}", "2 x&lt;br&gt;&lt;y&gt;"),
        (
            "{{ 'abc' | first }}{{ 'abc' | last }}{{ name | upper | lower | title | capitalize | trim }}",
            "acZoë &lt;b&gt;",
        ),
        ("{{ 'a b/c&é' | urlencode }}", "a%20b%2Fc%26%C3%A9"),
        ("{{ 'one two three' | truncate(9) }} {{ 'abcdef' | truncate(3, true, '') }}", "one two… abc"),
        ("{{ missing | default('x') }}{{ '' | default('y', true) }}{{ missing is defined }}", "xyfalse"),
        (
            "{% for i in items %}{{ loop.index }}{{ i['b-c'] }}{{ i.a }}{% if not loop.last %},{% endif %}{% endfor %}",
            "11x,22&lt;y&gt;",
        ),
        ("{% for i in empty %}a{% else %}none{% endfor %}", "none"),
        ("{{ 3 is odd }}{{ 3 is even }}{{ nothing is none }}", "truefalsetrue"),
        ("a\n", "a\n"),
    ],
)
def test_what_is_printed(source: str, expected: str) -> None:
    assert rendered(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "{{ missing }}", "{% if missing %}{% endif %}", "{{ missing.x }}", "{{ missing ~ 'x' }}",
        "{{ missing | upper }}",
        "{{ name.__class__ }}", "{{ name['__class__'] }}", "{{ name.upper() }}", "{{ items.append(1) }}", "{{ items }}",
        "{{ items | first }}", "{{ items[0] }}", "{{ range(9) }}", "{{ lipsum() }}", "{{ cycler }}", "{{ dict() }}",
        "{{ self }}", "{{ self.__init__ }}", "{% for i in items %}{{ loop }}{% endfor %}",
        "{% for i in items %}{{ loop.__class__ }}{% endfor %}", "{% for i in items %}{{ loop.cycle('a') }}{% endfor %}",
        "{{ name * 1000000000 }}", "{{ 'x' * 3 }}", "{{ 9 ** 9 }}",
        "{{ 9 % 4 }}", "{{ '%99999999d' % 1 }}", "{{ 9 // 4 }}",
        "{{ '%99999999d' is odd }}", "{{ name + name }}", "{{ yes + 1 }}", "{{ -name }}", "{{ items + items }}",
        "{{ 1 / 0 }}", "{{ name < 1 }}", "{{ amount | round(7) }}", "{{ amount | round(-1) }}", "{{ name | round }}",

        "{{ amount | round(1, '__class__') }}", "{{ name | truncate(99999999) }}", "{{ name | join('x') }}",
        "{{ items | upper }}", "{{ items | urlencode }}", "{{ name | abs }}", "{{ empty | first }}",
        "{{ amount | length }}",
        "{{ items | join('', attribute='__class__') }}", "{{ name }}{{ 1e20 * 1e20 }}",
        "{% macro m() %}x{% endmacro %}{{ m() }}", "{% include 'x' %}", "{{ '{0.__class__}'.format(1) }}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("part", ["html", "text", "subject"])
def test_what_fails(part: str, source: str) -> None:
    assert failing(source, part)[0] == "render-failed"


@pytest.mark.parametrize(
    "source", ["{{ name | attr('x') }}", "{{ name | safe }}", "{{ 1 is divisibleby(1) }}", "{% bad %}"]
)
def test_what_cannot_be_compiled(source: str) -> None:
    assert failing(source)[0] == "syntax"


def test_where_it_fails() -> None:
    assert failing("a\n{{ name }}\n{{ missing }}")[2] == 3
    assert failing("a\n{% for i in items %}\n{{ i.c }}{% endfor %}", "text")[1:] == (
        'The value "c" is not there; give it, or say what comes instead with default or if.',
        3,
    )


def test_constants_are_not_worked_out_when_compiled() -> None:
    compile_template(Prepared("", "s", "{{ 1 / 0 }}{{ 'a' | upper }}{{ 9 ** 9 ** 9 }}", "t"))


def test_too_long() -> None:
    assert failing("{{ name }}" * 60, name="x" * 20_000)[0] == "too-long"
    assert failing("{{ name }}" * 20, name="👩" * 20_000)[0] == "too-long"


@pytest.mark.parametrize("value", ["", " ", "\n", "\x00\u202e"])
def test_an_empty_subject(value: str) -> None:
    assert failing("{{ name }}", "subject", name=value)[0] == "subject-unsafe"


def test_subjects() -> None:
    assert rendered("Hi {{ name }}", "subject", name="a\r\nBcc: b\x00\u2028c\u202e") == "Hi a Bcc: b c"
    assert rendered("{{ name }}", "subject", name="x" * 500) == "x" * 149 + "…"
    assert rendered(" {{ name }}", "subject", name="R&D <x>") == "R&D <x>"
    assert failing("{{ name }}" * 4, "subject", name="x" * 500)[0] == "subject-unsafe"
    assert failing("={{ name }}", "subject", name="?utf-8?q?=0aBcc:x?=")[0] == "subject-unsafe"
    assert failing("{{ 'a\\nb' }}", "subject")[0] == "subject-unsafe"


@given(st.text(max_size=400))
def test_any_value_is_text(value: str) -> None:
    subject = rendered("S {{ name }}", "subject", name=value)
    assert len(subject) <= 152
    assert "\n" not in subject
    assert "=?" not in subject
    html = rendered("<p>{{ name }}</p>", name=value)
    assert html.count("<") == 2
    html.encode()
    text = rendered("{{ name }}", "text", name=value)
    assert not {*text} & {"\x00", "\r", "\x1b", "\u202e", "\u2066"}
    assert text.strip() == value.strip() or not value.isprintable()
