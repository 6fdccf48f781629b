"""Rendering without the grammar check: even templates that it would reject do no harm."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.rendering import Prepared, Rendered, RenderError
from gatepost.mail.rendering.language.render import compile_template, render

VALUES: dict[str, Any] = {
    "name": "Zoë <b>",
    "amount": 7,
    "half": 2.5,
    "yes": True,
    "nothing": None,
    "empty": [],
    "items": [{"a": "x", "b-c": 1}, {"a": "<y>", "b-c": 2}],
}


def render_part(source: str, part: str = "html", **values: Any) -> str:
    parts = {"subject": "s", "html": "h", "text": "t", part: source}
    result = render(compile_template(Prepared("", parts["subject"], parts["html"], parts["text"])), VALUES | values)
    assert isinstance(result, Rendered)
    return str(getattr(result, part))


def error_of(source: str, part: str = "html", **values: Any) -> tuple[str, str, int]:
    with pytest.raises(RenderError) as caught:
        render_part(source, part, **values)
    [diagnostic] = caught.value.diagnostics
    assert diagnostic.part == part
    assert "0x" not in diagnostic.msg
    assert "<" not in diagnostic.msg
    return diagnostic.rule, diagnostic.msg, diagnostic.line


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
def test_output(source: str, expected: str) -> None:
    assert render_part(source) == expected


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
def test_expressions_that_fail(part: str, source: str) -> None:
    assert error_of(source, part)[0] == "render-failed"


@pytest.mark.parametrize(
    "source", ["{{ name | attr('x') }}", "{{ name | safe }}", "{{ 1 is divisibleby(1) }}", "{% bad %}"]
)
def test_templates_that_do_not_compile(source: str) -> None:
    assert error_of(source)[0] == "syntax"


def test_an_error_has_its_line() -> None:
    assert error_of("a\n{{ name }}\n{{ missing }}")[2] == 3
    assert error_of("a\n{% for i in items %}\n{{ i.c }}{% endfor %}", "text")[1:] == (
        'The value "c" is missing. Provide it, or handle the case with default or if.',
        3,
    )


def test_constant_expressions_are_evaluated_at_rendering_and_not_when_compiled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compile_template(Prepared("", "s", "{{ 1 / 0 }}{{ 9 ** 9 ** 9 }}", "t"))
    calls: list[str] = []
    environment = compile_template(Prepared("", "s", "h", "t")).html.environment

    def upper(value: str) -> str:
        calls.append(value)
        return value.upper()

    monkeypatch.setitem(environment.filters, "upper", upper)
    compiled = compile_template(Prepared("", "s", "{{ 'a' | upper }}{% if 'b' | upper == 'B' %}c{% endif %}", "t"))
    assert calls == []
    result = render(compiled, VALUES)
    assert isinstance(result, Rendered)
    assert (result.html, calls) == ("Ac", ["a", "b"])


def test_output_is_limited() -> None:
    assert error_of("{{ name }}" * 60, name="x" * 20_000)[0] == "too-long"
    assert error_of("{{ name }}" * 20, name="👩" * 20_000)[0] == "too-long"


@pytest.mark.parametrize("value", ["", " ", "\n", "\x00\u202e"])
def test_an_empty_subject_is_rejected(value: str) -> None:
    assert error_of("{{ name }}", "subject", name=value)[0] == "subject-unsafe"


def test_subjects_are_one_safe_line() -> None:
    assert render_part("Hi {{ name }}", "subject", name="a\r\nBcc: b\x00\u2028c\u202e") == "Hi a Bcc: b c"
    assert render_part("{{ name }}", "subject", name="x" * 500) == "x" * 149 + "…"
    assert render_part(" {{ name }}", "subject", name="R&D <x>") == "R&D <x>"
    assert error_of("{{ name }}" * 4, "subject", name="x" * 500)[0] == "subject-unsafe"
    assert error_of("={{ name }}", "subject", name="?utf-8?q?=0aBcc:x?=")[0] == "subject-unsafe"
    assert error_of("{{ 'a\\nb' }}", "subject")[0] == "subject-unsafe"


@given(st.text(max_size=400))
def test_any_value_is_rendered_as_text(value: str) -> None:
    subject = render_part("S {{ name }}", "subject", name=value)
    assert len(subject) <= 152
    assert "\n" not in subject
    assert "=?" not in subject
    html = render_part("<p>{{ name }}</p>", name=value)
    assert html.count("<") == 2
    html.encode()
    text = render_part("{{ name }}", "text", name=value)
    assert not {*text} & {"\x00", "\r", "\x1b", "\u202e", "\u2066"}
    assert text.strip() == value.strip() or not value.isprintable()
