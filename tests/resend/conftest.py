"""A Resend that does not hurry anybody, and a client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.resend import FakeResend


@pytest.fixture
async def resend() -> AsyncIterator[FakeResend]:
    """A Resend without limits."""
    async with FakeResend(rate=None) as resend:
        yield resend


@pytest.fixture
async def http(resend: FakeResend) -> AsyncIterator[httpx.AsyncClient]:
    """A client with its key."""
    async with client_of(resend) as http:
        yield http


def client_of(resend: FakeResend) -> httpx.AsyncClient:
    """Return a client with the key of a Resend."""
    headers = {"Authorization": f"Bearer {resend.api_key}"}
    return httpx.AsyncClient(base_url=resend.url, headers=headers, timeout=5, trust_env=False)
