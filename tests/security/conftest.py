"""The service of the security tests, which sends no email, and a render pool."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gatepost.mail.rendering import RenderPool
from tests.support import Service, running_service
from tests.support.mail import pause_mail
from tests.support.rendering import open_pool


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    """The standalone service with the default settings and its mail paused, which saves the start of a render pool."""
    async with running_service(database_url) as service:
        await pause_mail(service)
        yield service


@pytest.fixture
async def pool() -> AsyncIterator[RenderPool]:
    async with open_pool() as opened:
        yield opened
