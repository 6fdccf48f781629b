"""A fake Resend, and a client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.fake_resend import FakeResend
from tests.support.fake_resend.requests import resend_client


@pytest.fixture
async def resend() -> AsyncIterator[FakeResend]:
    """A fake Resend without limits."""
    async with FakeResend(rate=None) as resend:
        yield resend


@pytest.fixture
async def http(resend: FakeResend) -> AsyncIterator[httpx.AsyncClient]:
    """A client with its API key."""
    async with resend_client(resend) as http:
        yield http
