"""The services that attacks are tried on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.mail import MailService, running_mail_service


@pytest.fixture
async def mail_service(database_url: str) -> AsyncIterator[MailService]:
    """A service that sends through a fake Resend, and what it sent."""
    async with running_mail_service(database_url) as service:
        yield service
