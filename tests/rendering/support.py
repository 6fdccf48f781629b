"""What the tests of the rendering processes stand on."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gatepost.mail.rendering.isolation.pool import RenderPool
from gatepost.mail.rendering.language.variables import Variable, check_values
from gatepost.mail.rendering.shapes import Prepared, Rendered

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


def context(**values: Any) -> dict[str, Any]:
    return check_values(DECLARED, {"name": "Zoë", "amount": 1, **values}, **ALWAYS)


async def only(pool: RenderPool, prepared: Prepared, values: dict[str, Any]) -> Rendered:
    [done] = await pool.render(prepared, [values])
    assert isinstance(done, Rendered)
    return done


PLAIN = Prepared("plain", "Hi {{ name }}", "<p>{{ name }}</p>", "{{ name }}")
