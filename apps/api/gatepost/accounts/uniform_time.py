"""A minimum time for responses whose timing must not reveal whether an account exists."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_SECONDS = 0.2


@asynccontextmanager
async def uniform_time() -> AsyncIterator[None]:
    """Make a block take at least 0.2 seconds, which is longer than any of its outcomes needs."""
    started = time.monotonic()
    yield
    await asyncio.sleep(max(0.0, _SECONDS - (time.monotonic() - started)))
