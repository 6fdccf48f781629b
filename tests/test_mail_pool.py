"""The rendering processes: whatever an author writes, the answer comes in time and nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatepost.mail.rendering.diagnostics import TemplateRefused, has_errors
from gatepost.mail.rendering.pool import RenderBusy, RenderPool
from gatepost.mail.rendering.shapes import Prepared, Rendered, Source
from gatepost.mail.rendering.variables import Variable, check_values

LAYOUT = "<!doctype html>\n<html lang=en>\n<body>\n<div><!-- preheader --></div>\n<!-- content -->\n</body>\n</html>\n"
ALWAYS = {"locale": "en", "product_name": "Gatepost"}
DECLARED = [
    Variable("name", example="Zoë"),
    Variable("amount", "number", example=12.5),
    Variable("paid", "boolean", required=False),
    Variable("pay_url", "url", required=False, example="https://pay.example/1"),
    Variable("items", "list", required=False, example=[{"title": "One", "price": 1}]),
]


@asynccontextmanager
async def open_pool(size: int = 2) -> AsyncIterator[RenderPool]:
    """A pool that leaves no process behind."""
    pool = RenderPool(LAYOUT, size)
    await pool.start()
    seen = pool.pids
    try:
        yield pool
    finally:
        seen += pool.pids
        await pool.close()
    assert not [pid for pid in seen if running(pid)]


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def working(pid: int) -> bool:
    """Whether it runs, and is not merely unburied by whoever inherited it."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
async def pool() -> AsyncIterator[RenderPool]:
    async with open_pool() as opened:
        yield opened


def context(**values: Any) -> dict[str, Any]:
    return check_values(DECLARED, {"name": "Zoë", "amount": 1, **values}, **ALWAYS)


async def only(pool: RenderPool, prepared: Prepared, values: dict[str, Any]) -> Rendered:
    [done] = await pool.render(prepared, [values])
    assert isinstance(done, Rendered)
    return done


PLAIN = Prepared("plain", "Hi {{ name }}", "<p>{{ name }}</p>", "{{ name }}")


async def test_the_way_of_a_template(pool: RenderPool) -> None:
    source = Source(
        "Hi {{ name }}",
        "<p>{{ name }} owes {{ amount | round(1) }}</p>\n{% for item in items %}<p>{{ item.title }}</p>{% endfor %}",
        preheader="Pay & go, {{ name }}",
    )
    found = await pool.check(source, DECLARED)
    assert [(one.rule, one.line) for one in found] == [("unused-variable", 3), ("unused-variable", 4)]
    prepared, warnings = await pool.publish(source, DECLARED, "key-1")
    assert warnings == found
    shown, _ = await pool.preview(source, DECLARED, {"name": "<Ann>"}, **ALWAYS)
    assert shown is not None
    values = context(name="<Ann>", amount=12.5, items=[{"title": "One", "price": 1}], pay_url="https://pay.example/1")
    assert await only(pool, prepared, values) == shown
    assert shown.subject == "Hi <Ann>"
    assert "<div>Pay &amp; go, &lt;Ann&gt;</div>" in shown.html
    assert "&lt;Ann&gt; owes 12.5" in shown.html
    assert "<Ann> owes 12.5" in shown.text


async def test_each_context_of_a_batch_for_itself(pool: RenderPool) -> None:
    prepared = Prepared("batch", "{{ name }}", "{{ 1 / amount }}", "text")
    contexts = [context(name=f"n{at}", amount=at % 3) for at in range(250)]
    done = await pool.render(prepared, contexts)
    assert len(done) == 250
    for at, one in enumerate(done):
        if at % 3 == 0:
            assert isinstance(one, TemplateRefused)
            assert [(found.part, found.rule) for found in one.diagnostics] == [("html", "render-failed")]
        else:
            assert isinstance(one, Rendered)
            assert one.subject == f"n{at}"


async def test_large_answers_come_in_pieces(pool: RenderPool) -> None:
    prepared = Prepared("large", "s", "{{ name }}" * 20, "{{ name }}" * 20)
    done = await pool.render(prepared, [context(name="x" * 20_000)] * 40)
    assert {type(one) for one in done} == {Rendered}
    assert len(done) == 40


# Each is (subject, html, text) of a template that must be refused when it is written.
WALKS = [
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
async def test_what_no_template_may_say(part: str) -> None:
    async with open_pool() as pool:
        for attack in WALKS:
            parts: dict[str, Any] = {"subject": "s", "html": "<p>h</p>", "text": "t", part: attack}
            async with asyncio.timeout(5):
                found = await pool.check(Source(**parts), DECLARED)
                shown, same = await pool.preview(Source(**parts), DECLARED, {}, **ALWAYS)
                with pytest.raises(TemplateRefused):
                    await pool.publish(Source(**parts), DECLARED)
            assert has_errors(found), attack
            assert shown is None
            assert has_errors(same)
            assert any(one.part == part and one.severity == "error" for one in found), (attack, found)
        assert await only(pool, PLAIN, context())


BURNING = [
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


@pytest.mark.parametrize(("attack", "values"), BURNING, ids=[attack[:60] for attack, _ in BURNING])
async def test_what_fails_with_its_values(pool: RenderPool, attack: str, values: dict[str, Any]) -> None:
    given = {"name": "n", "amount": 1, "items": list(range(1000)), **values}
    prepared = Prepared("burning", "s", attack, "t")
    async with asyncio.timeout(5):
        shown, found = await pool.preview(Source("s", attack, "t"), DECLARED, given, **ALWAYS)
        try:
            [done] = await pool.render(prepared, [context(**given)])
        except TemplateRefused as refusal:
            done = refusal
    assert shown is None
    assert has_errors(found)
    assert isinstance(done, TemplateRefused)
    allowed = {"render-failed", "too-long", "too-slow", "too-much-memory", "forbidden-expression", "too-large"}
    assert {one.rule for one in done.diagnostics} <= allowed
    assert "object at 0x" not in str(done)
    assert (await only(pool, PLAIN, context())).subject == "Hi Zoë"


async def test_others_are_served_while_one_burns(pool: RenderPool) -> None:
    attack = BURNING[0][0]
    values = {"name": "n", "amount": 1, "items": list(range(1000))}
    burning = [
        asyncio.create_task(pool.preview(Source("s", attack, "t"), DECLARED, values, **ALWAYS)) for _ in range(3)
    ]
    served = 0
    async with asyncio.timeout(30):
        while not all(task.done() for task in burning):
            assert await only(pool, PLAIN, context())
            served += 1
    assert served > 20
    for task in burning:
        shown, found = await task
        assert shown is None
        assert [one.rule for one in found if one.severity == "error"] == ["too-slow"]


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_killed_process_is_replaced(pool: RenderPool) -> None:
    before = pool.pids
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    assert await only(pool, PLAIN, context())
    await until(lambda: len(pool.pids) == 2 and not {*pool.pids} & {*before})
    assert not [pid for pid in before if running(pid)]


async def test_a_job_whose_process_is_killed_is_done_by_another() -> None:
    async with open_pool(1) as pool:
        [pid] = pool.pids
        os.kill(pid, signal.SIGSTOP)
        job = asyncio.create_task(pool.render(PLAIN, [context()] * 10))
        await until(pool._idle.empty)
        os.kill(pid, signal.SIGKILL)
        assert len(await job) == 10


async def test_a_job_given_up_leaves_no_answer_to_the_next() -> None:
    async with open_pool(1) as pool:
        [pid] = pool.pids
        os.kill(pid, signal.SIGSTOP)
        job = asyncio.create_task(pool.render(PLAIN, [context(name="given up")]))
        await until(pool._idle.empty)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        assert (await only(pool, PLAIN, context())).subject == "Hi Zoë"
        assert not running(pid)


async def test_too_many_waiting_and_closing() -> None:
    async with open_pool(1) as pool:
        [pid] = pool.pids
        os.kill(pid, signal.SIGSTOP)
        jobs = [asyncio.create_task(pool.render(PLAIN, [context()])) for _ in range(201)]
        await until(lambda: pool._waiting == 200)
        with pytest.raises(RenderBusy):
            await pool.render(PLAIN, [context()])
        await pool.close()
        done = await asyncio.gather(*jobs, return_exceptions=True)
        assert {type(one) for one in done} <= {RenderBusy, TemplateRefused}
        with pytest.raises(RenderBusy):
            await pool.render(PLAIN, [context()])


async def test_processes_end_with_their_parent() -> None:
    code = (
        "import asyncio, os\n"
        "from gatepost.mail.rendering.pool import RenderPool\n"
        "async def main():\n"
        "    pool = RenderPool('<!-- content -->', 2)\n"
        "    await pool.start()\n"
        "    print(*pool.pids, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    out, _ = await parent.communicate()
    pids = [int(pid) for pid in out.split()]
    assert len(pids) == 2
    await until(lambda: not [pid for pid in pids if working(pid)])


async def test_the_process_knows_nothing_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEPOST_SECRET_KEY", "secret")
    async with open_pool(1) as pool:
        [pid] = pool.pids
        process = Path(f"/proc/{pid}")
        assert b"GATEPOST" not in (process / "environ").read_bytes()
        loaded = (process / "maps").read_text()
        assert "pydantic" not in loaded
        assert "asyncpg" not in loaded
        assert len(list((process / "fd").iterdir())) == 3


_PIECE = (
    "<script>alert(1)</script>{{ 7*7 }}{% set x = 1 %}\u202e\u2067rtl\u200f=?utf-8?q?=0aBcc:_x?=\r\n"
    "Bcc: x\x00\x1b[0m👩\u200d👩\u200d👧 é\u2028"
)
NAME = (_PIECE * 100)[:10_000]


async def test_a_hostile_name_is_text(pool: RenderPool) -> None:
    source = Source("Hi {{ name }}!\n", '<p title="{{ name }}">{{ name }}</p>', "{{ name }}", "{{ name }}")
    prepared, _ = await pool.publish(source, DECLARED, "hostile")
    done = await only(pool, prepared, context(name=NAME))
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


PIECES = st.sampled_from(
    [
        "{{ name }}",
        "{{ amount }}",
        "{{ amount | round(2) }}",
        "{% if paid %}yes{% else %}no{% endif %}",
        "<b>x</b>",
        "\n",
        "{% for i in items %}{{ i.title }}, {{ loop.index }}{% endfor %}",
        "é 👩‍👩‍👧 ",
        "{{ name | upper }}",
        "& ",
        "< ",
        "{{ name | default('x') | truncate(5) }}",
        '<a href="{{ pay_url }}">pay</a>',
        "{# c #}",
        "\t",
        "{%- if 1 -%} a {% endif %}",
    ]
)
TEMPLATES = st.lists(PIECES, max_size=6).map("".join)
VALUES = st.fixed_dictionaries(
    {"name": st.text(max_size=300), "amount": st.integers(-(10**9), 10**9), "paid": st.booleans()},
    optional={"items": st.lists(st.fixed_dictionaries({"title": st.text(max_size=20)}), max_size=3)},
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(subject=TEMPLATES, html=TEMPLATES, text=st.none() | TEMPLATES, preheader=TEMPLATES, values=VALUES)
def test_what_is_previewed_is_what_is_sent(
    runner: asyncio.Runner,
    shared: Sequence[RenderPool],
    subject: str,
    html: str,
    text: str | None,
    preheader: str,
    values: dict[str, Any],
) -> None:
    async def both() -> None:
        source = Source(subject, html, text, preheader)
        shown, _ = await shared[0].preview(source, DECLARED, values, **ALWAYS)
        if shown is None:
            return
        prepared, _ = await shared[0].publish(source, DECLARED, "")
        given = {one.name: one.example for one in DECLARED if one.example is not None} | values
        assert await only(shared[0], prepared, check_values(DECLARED, given, **ALWAYS)) == shown

    runner.run(both())


@pytest.fixture
def runner() -> Any:
    with asyncio.Runner() as opened:
        yield opened


@pytest.fixture
def shared(runner: asyncio.Runner) -> Any:
    pool = RenderPool(LAYOUT, 1)
    runner.run(pool.start())
    yield [pool]
    runner.run(pool.close())
