"""A preview is what will be sent, byte for byte."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatepost.mail.rendering import Rendered, RenderPool, Source, check_values
from tests.support.rendering import ALWAYS, DECLARED, LAYOUT, render_one

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
def test_a_preview_equals_what_is_sent(
    runner: asyncio.Runner,
    shared_pool: Sequence[RenderPool],
    subject: str,
    html: str,
    text: str | None,
    preheader: str,
    values: dict[str, Any],
) -> None:
    async def preview_and_send() -> None:
        source = Source(subject, html, text, preheader)
        preview, _ = await shared_pool[0].preview(source, DECLARED, values, **ALWAYS)
        if preview is None:
            return
        prepared, _ = await shared_pool[0].publish(source, DECLARED, "")
        given = {one.name: one.example for one in DECLARED if one.example is not None} | values
        sent = await render_one(shared_pool[0], prepared, check_values(DECLARED, given, **ALWAYS))
        assert sent == Rendered(preview.subject, preview.html, preview.text)

    runner.run(preview_and_send())


@pytest.fixture
def runner() -> Any:
    with asyncio.Runner() as opened:
        yield opened


@pytest.fixture
def shared_pool(runner: asyncio.Runner) -> Any:
    pool = RenderPool(LAYOUT, 1)
    runner.run(pool.start())
    yield [pool]
    runner.run(pool.close())
