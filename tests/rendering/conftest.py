"""A pool of rendering processes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gatepost.mail.rendering.isolation.pool import RenderPool
from tests.rendering.support import open_pool


@pytest.fixture
async def pool() -> AsyncIterator[RenderPool]:
    async with open_pool() as opened:
        yield opened
