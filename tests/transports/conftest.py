"""What the transports' tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gatepost.mail.transports.resend import ResendTransport
from tests.resend import FakeResend
from tests.transports.certificates import Authority
from tests.transports.dispatches import KEY
from tests.transports.smtp_server import SmtpServer


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that whatever is opened from now on trusts, and no other."""
    made = Authority.made_in(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made


@pytest.fixture
async def server() -> AsyncIterator[SmtpServer]:
    """A mail server; nobody breaks its rules."""
    async with SmtpServer() as server:
        yield server
        assert server.breaches == []


@pytest.fixture
async def resend() -> AsyncIterator[FakeResend]:
    """A Resend without a limit of pace."""
    async with FakeResend(api_key=KEY, rate=None, keep_bodies=True) as server:
        yield server


@pytest.fixture
async def transport(resend: FakeResend) -> AsyncIterator[ResendTransport]:
    """The way out through that Resend."""
    transport = ResendTransport(KEY, resend.url)
    yield transport
    await transport.close()
