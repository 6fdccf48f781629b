"""Render pools, and declarations and values for the templates that tests render."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gatepost.mail.rendering import Prepared, Rendered, RenderPool, Variable, check_values
from tests.support.processes import exists

LAYOUT = "<!doctype html>\n<html lang=en>\n<body>\n<div><!-- preheader --></div>\n<!-- content -->\n</body>\n</html>\n"
ALWAYS = {"locale": "en", "product_name": "Gatepost"}
DECLARED = [
    Variable("name", example="Zoë"),
    Variable("amount", "number", example=12.5),
    Variable("paid", "boolean", required=False),
    Variable("pay_url", "url", required=False, example="https://pay.example/1"),
    Variable("items", "list", required=False, example=[{"title": "One", "price": 1}]),
]
PLAIN = Prepared("plain", "Hi {{ name }}", "<p>{{ name }}</p>", "{{ name }}")


@asynccontextmanager
async def open_pool(size: int = 2) -> AsyncIterator[RenderPool]:
    """Open a pool; check that no process is left behind when it is closed."""
    pool = RenderPool(LAYOUT, size)
    await pool.start()
    seen = pool.pids
    try:
        yield pool
    finally:
        seen += pool.pids
        await pool.close()
    assert not [pid for pid in seen if exists(pid)]


def context(**values: Any) -> dict[str, Any]:
    """Return the checked values of the declared variables."""
    return check_values(DECLARED, {"name": "Zoë", "amount": 1, **values}, **ALWAYS)


async def render_one(pool: RenderPool, prepared: Prepared, values: dict[str, Any]) -> Rendered:
    """Render a template once; it must succeed."""
    [done] = await pool.render(prepared, [values])
    assert isinstance(done, Rendered)
    return done
