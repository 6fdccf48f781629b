"""Services that attacks are tried on, and a render pool."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gatepost.mail.rendering import RenderPool
from tests.support import Service, running_service
from tests.support.mail import MailService, pause_mail, running_mail_service
from tests.support.rendering import open_pool


@pytest.fixture
async def service(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Service]:
    """The standalone service with the default settings.

    In a module with `SENDS_NO_MAIL` its mail is paused, which saves the start of a render pool.
    """
    async with running_service(database_url) as service:
        if getattr(request.module, "SENDS_NO_MAIL", False):
            await pause_mail(service)
        yield service


@pytest.fixture
async def mail_service(database_url: str) -> AsyncIterator[MailService]:
    """A service that sends through a fake Resend, and what it sent."""
    async with running_mail_service(database_url) as service:
        yield service


@pytest.fixture
async def pool() -> AsyncIterator[RenderPool]:
    async with open_pool() as opened:
        yield opened
