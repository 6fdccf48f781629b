"""The service of the API tests, which sends no email."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support import Service, running_service
from tests.support.mail import pause_mail


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    """The standalone service with the default settings and its mail paused, which saves the start of a render pool."""
    async with running_service(database_url) as service:
        await pause_mail(service)
        yield service
