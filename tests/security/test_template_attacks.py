"""Hostile templates and values: they are rejected in time, or rendered as harmless text."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.mail.rendering import Prepared, RenderError, RenderPool, Source
from gatepost.mail.rendering.types import has_errors
from tests.support.rendering import ALWAYS, DECLARED, PLAIN, context, open_pool, render_one

# Each must be rejected in every part of a template when it is saved.
FORBIDDEN = [
    "{{ ''.__class__.__mro__ }}",
    "{{ ''['__class__'] }}",
    "{{ ''['__cla' ~ 'ss__'] }}",
    "{{ ''['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    "{{ name | attr('__class__') }}",
    "{{ items | map(attribute='__class__') | join }}",
    "{{ items | map('attr', '__class__') | list }}",
    "{{ self }}",
    "{{ self.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__['os'] }}",
    "{{ namespace }}",
    "{% for x in items %}{{ loop.__class__ }}{% endfor %}",
    "{% for x in items %}{{ loop['__init__'] }}{% endfor %}",
    "{% for x in items %}{{ loop }}{% endfor %}",
    "{% for x in items %}{{ loop.cycle(1, 2) }}{% endfor %}",
    "{% for x in items %}{{ x.__class__ }}{% endfor %}",
    "{{ (1).real }}",
    "{{ ().__class__ }}",
    "{{ {}.__class__ }}",
    "{{ name.upper }}",
    "{{ name.upper() }}",
    "{{ '{0.__class__}'.format(1) }}",
    "{{ '{a.__class__}'.format_map({'a': 1}) }}",
    "{{ '%s' | format(1) }}",
    "{{ ('{0.__class__}' | attr('format'))(1) }}",
    "{{ items.append(1) }}",
    "{{ items }}",
    "{{ name | safe }}",
    "{{ {'a': 1} | xmlattr }}",
    "{{ name | tojson }}",
    "{{ name | pprint }}",
    "{{ name | map }}",
    "{% autoescape false %}{{ name }}{% endautoescape %}",
    "{% macro m(n) %}{{ m(n) }}{{ m(n) }}{% endmacro %}{{ m(1) }}",
    "{% call m() %}{% endcall %}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{% from 'os' import popen %}",
    "{% extends 'x' %}",
    "{% block b %}{% endblock %}",
    "{% set x = name %}",
    "{% set x %}{{ name }}{% endset %}",
    "{% with x = 1 %}{{ x }}{% endwith %}",
    "{% filter upper %}x{% endfilter %}",
    "{% raw %}{{ x }}{% endraw %}",
    "{%- raw -%}x{%- endraw -%}",
    "{% do items.append(1) %}",
    "{% print(name) %}",
    "{% trans %}x{% endtrans %}",
    "{% debug %}",
    "{% for a in items %}{% for b in items %}{% for c in items %}x{% endfor %}{% endfor %}{% endfor %}",
    "{% for x in range(1000000000) %}x{% endfor %}",
    "{% for x in 'abc' %}x{% endfor %}",
    "{% for x in name %}x{% endfor %}",
    "{% for x in [1, 2] %}x{% endfor %}",
    "{% for x in items recursive %}{{ loop(x) }}{% endfor %}",
    "{% for a, b in items %}x{% endfor %}",
    "{% for name in items %}x{% endfor %}",
    "{% for loop in items %}x{% endfor %}",
    "{% for x in items %}{% for y in x %}y{% endfor %}{% endfor %}",
    "{{ 'x' | center(300000000) }}",
    "{{ 'x' | indent(300000000) }}",
    "{{ '%999999999d' | format(1) }}",
    "{{ name | wordwrap(1) }}",
    "{{ items | batch(1000000000, 1) | list }}",
    "{{ items | slice(1000000000) | list }}",
    "{{ 'x' * 1000000000 if 1 ** 9 else '' }}",
    "{{ 9 ** 9 ** 9 ** 9 }}",
    "{{ 10 % 3 }}",
    "{{ 10 // 3 }}",
    "{{ '%999999999d' % 1 }}",
    "{{ name[::1] }}",
    "{{ name[0:9999999999] }}",
    "{{ lipsum(100000) }}",
    "{{ dict(a=1) }}",
    "{{ joiner }}",
    "{{ " + "(" * 2000 + "1" + ")" * 2000 + " }}",
    "{{ " + "not " * 900 + "1 }}",
    "{{ " + "-" * 900 + "1 }}",
    "{{ " + "1 + " * 400 + "1 }}",
    "{{ " + "[" * 900 + "]" * 900 + " }}",
    "{% if name %}" * 41 + "{% endif %}" * 41,
    "{{ " + "9" * 1900 + " }}",
    "{{ 1e999 }}",
    "{{ name if paid }}",
    "{{ undeclared }}",
    "{{ undeclared is defined }}",
    "{% if nmae %}x{% endif %}",
    "{{ name is string }}",
    "{{ name is divisibleby(3) }}",
    "{{ name | join(*items) }}",
    "{{ name | truncate(**items) }}",
    "{{",
    "{%",
    "{#",
    "{{ }}",
    "{% if %}",
    "{% endif %}",
    "{{ name | }}",
    "{{ name $ }}",
    "a\x00b",
    "a\u202eb",
    "a\ud800b",
    "{{ '\\x00' }}",
    "{{ '\\u202e' }}",
    "{{ '\\x1b[31m' }}",
]


@pytest.mark.parametrize("part", ["subject", "html", "text", "preheader"])
async def test_forbidden_templates_are_rejected(part: str) -> None:
    async with open_pool() as pool:
        for attack in FORBIDDEN:
            parts: dict[str, Any] = {"subject": "s", "html": "<p>h</p>", "text": "t", part: attack}
            async with asyncio.timeout(5):
                found = await pool.check(Source(**parts), DECLARED)
                preview, preview_diagnostics = await pool.preview(Source(**parts), DECLARED, {}, **ALWAYS)
                with pytest.raises(RenderError):
                    await pool.publish(Source(**parts), DECLARED)
            assert has_errors(found), attack
            assert preview is None
            assert has_errors(preview_diagnostics)
            assert any(one.part == part and one.severity == "error" for one in found), (attack, found)
        assert await render_one(pool, PLAIN, context())


FAILING = [
    (
        "{% for a in items %}{% for b in items %}"
        + "{% if a == b and b != a %}x{% endif %}" * 400
        + "{% endfor %}{% endfor %}",
        {},
    ),
    ("{% for a in items %}{% for b in items %}{{ name }}{% endfor %}{% endfor %}", {"name": "x" * 20_000}),
    ("{% for a in items %}{{ " + " ~ ".join(["name"] * 2000) + " }}{% endfor %}", {"name": "x" * 20_000}),
    (
        "{% for a in items %}{% if " + " ~ ".join(["name"] * 2000) + " == name %}x{% endif %}{% endfor %}",
        {"name": "x" * 20_000},
    ),
    ("{{ items | join(name) | length }}" * 100, {"name": "x" * 20_000}),
    ("{{ " + " * ".join(["amount"] * 30) + " }}", {"amount": 9e14}),
    ("{{ '%999999999d' is odd }}", {}),
    ("{{ name is even }}", {"name": "%999999999d"}),
    ("{{ name * 1000000000 }}", {}),
    ("{{ amount | round(1000000000) }}", {}),
    ("{{ amount | round(-1000000000) }}", {}),
    ("{{ name | truncate(1000000000) }}", {}),
    ("{{ name + name }}", {}),
    ("{{ name / 0 }}", {}),
    ("{{ 1 / 0 }}", {}),
    ("{{ name < 1 }}", {}),
    ("{{ -name }}", {}),
    ("{{ items | first }}", {"items": [{"a": 1}]}),
    ("{% for i in items %}{{ i }}{% endfor %}", {"items": [{"a": 1}]}),
    ("{% for i in items %}{{ i.b }}{% endfor %}", {"items": [{"a": 1}]}),
    ("{{ items | first | last }}", {"items": []}),
]


@pytest.mark.parametrize(("attack", "values"), FAILING, ids=[attack[:60] for attack, _ in FAILING])
async def test_templates_that_fail_with_their_values(pool: RenderPool, attack: str, values: dict[str, Any]) -> None:
    given = {"name": "n", "amount": 1, "items": list(range(1000)), **values}
    prepared = Prepared("burning", "s", attack, "t")
    async with asyncio.timeout(5):
        preview, found = await pool.preview(Source("s", attack, "t"), DECLARED, given, **ALWAYS)
        try:
            [done] = await pool.render(prepared, [context(**given)])
        except RenderError as error:
            done = error
    assert preview is None
    assert has_errors(found)
    assert isinstance(done, RenderError)
    allowed = {"render-failed", "too-long", "too-slow", "too-much-memory", "forbidden-expression", "too-large"}
    assert done.diagnostics
    assert {one.rule for one in done.diagnostics} <= allowed
    assert "object at 0x" not in str(done)
    assert (await render_one(pool, PLAIN, context())).subject == "Hi Zoë"


_PIECE = (
    "<script>alert(1)</script>{{ 7*7 }}{% set x = 1 %}\u202e\u2067rtl\u200f=?utf-8?q?=0aBcc:_x?=\r\n"
    "Bcc: x\x00\x1b[0m👩\u200d👩\u200d👧 é\u2028"
)
HOSTILE_VALUE = (_PIECE * 100)[:10_000]


async def test_a_hostile_value_is_text(pool: RenderPool) -> None:
    source = Source("Hi {{ name }}!\n", '<p title="{{ name }}">{{ name }}</p>', "{{ name }}", "{{ name }}")
    prepared, _ = await pool.publish(source, DECLARED, "hostile")
    done = await render_one(pool, prepared, context(name=HOSTILE_VALUE))
    assert done.subject.startswith("Hi <script>alert(1)</script>{{ 7*7 }}{% set x = 1 %}")
    assert len(done.subject) == 154
    assert not {"\r", "\n", "\x00", "\u202e", "\u2028", "\u2067"} & {*done.subject}
    assert "=?" not in done.subject
    assert "<script" not in done.html
    assert "&lt;script&gt;" in done.html
    assert "{{ 7*7 }}" in done.text
    assert "<script>" in done.text
    for text in (done.html, done.text):
        assert not {"\r", "\x00", "\x1b", "\u202e", "\u2067"} & {*text}


async def test_other_jobs_are_done_while_expensive_ones_run(pool: RenderPool) -> None:
    attack = FAILING[0][0]
    values = {"name": "n", "amount": 1, "items": list(range(1000))}
    tasks = [asyncio.create_task(pool.preview(Source("s", attack, "t"), DECLARED, values, **ALWAYS)) for _ in range(3)]
    served = 0
    async with asyncio.timeout(30):
        while not all(task.done() for task in tasks):
            assert await render_one(pool, PLAIN, context())
            served += 1
    assert served > 20
    for task in tasks:
        preview, found = await task
        assert preview is None
        assert [one.rule for one in found if one.severity == "error"] == ["too-slow"]
