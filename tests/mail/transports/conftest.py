"""Providers to send to, and a certificate authority for their TLS."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gatepost.mail.transports.resend import ResendTransport
from tests.support.certificates import CertificateAuthority
from tests.support.fake_resend import FakeResend
from tests.support.smtp_server import SmtpServer
from tests.support.transports import API_KEY


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CertificateAuthority:
    """A certificate authority, the only one that new connections trust."""
    authority = CertificateAuthority.create(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


@pytest.fixture
async def server() -> AsyncIterator[SmtpServer]:
    """A mail server; a violation of its rules fails the test."""
    async with SmtpServer() as server:
        yield server
        assert server.violations == []


@pytest.fixture
async def resend() -> AsyncIterator[FakeResend]:
    """A fake Resend without a rate limit."""
    async with FakeResend(api_key=API_KEY, rate=None, keep_bodies=True) as server:
        yield server


@pytest.fixture
async def transport(resend: FakeResend) -> AsyncIterator[ResendTransport]:
    """A transport to that Resend."""
    transport = ResendTransport(API_KEY, resend.url)
    yield transport
    await transport.close()
