"""A render pool."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gatepost.mail.rendering import RenderPool
from tests.support.rendering import open_pool


@pytest.fixture
async def pool() -> AsyncIterator[RenderPool]:
    async with open_pool() as opened:
        yield opened
