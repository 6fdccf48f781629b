"""Requests that never reach Resend: nothing was sent, and the message says what to do."""

from __future__ import annotations

import socket
from datetime import timedelta

import httpx
import pytest

from gatepost.mail.transports import Accepted, Rejected
from gatepost.mail.transports.resend import ResendTransport
from tests.support.certificates import CertificateAuthority
from tests.support.fake_resend import FakeResend
from tests.support.raw_http_server import http_response, serve_bytes
from tests.support.transports import API_KEY, make_batch


async def test_a_refused_connection_and_an_unknown_host() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for url, code in ((f"http://127.0.0.1:{port}", "refused"), ("http://no-server.invalid", "unknown_host")):
        transport = ResendTransport(API_KEY, url)
        outcome = await transport.send(make_batch())
        assert isinstance(outcome, Rejected)
        assert (outcome.fault, outcome.code) == ("temporary", code)
        await transport.close()


@pytest.mark.parametrize(
    ("starts", "ends", "hint"), [(1, 2, "Check the clock of this machine."), (-2, -1, "clock"), (None, None, "trusted")]
)
async def test_an_invalid_certificate(
    authority: CertificateAuthority, monkeypatch: pytest.MonkeyPatch, starts: int | None, ends: int | None, hint: str
) -> None:
    if starts is None or ends is None:
        monkeypatch.delenv("SSL_CERT_FILE")
        tls = authority.server_context()
    else:
        tls = authority.server_context(starts_in=timedelta(days=starts), ends_in=timedelta(days=ends))
    async with serve_bytes(http_response(200, b'{"id":"a"}'), tls) as url:
        transport = ResendTransport(API_KEY, url)
        outcome = await transport.send(make_batch())
        assert isinstance(outcome, Rejected)
        assert (outcome.fault, outcome.code) == ("temporary", "certificate")
        assert hint in outcome.message
        await transport.close()


async def test_a_trusted_certificate(authority: CertificateAuthority) -> None:
    async with serve_bytes(http_response(200, b'{"id":"a"}'), authority.server_context()) as url:
        transport = ResendTransport(API_KEY, url)
        assert await transport.send(make_batch()) == Accepted(("a",))
        await transport.close()


async def test_https_to_a_server_without_tls() -> None:
    async with serve_bytes(http_response(200)) as url:
        transport = ResendTransport(API_KEY, url.replace("http", "https"), limit=1)
        outcome = await transport.send(make_batch())
        assert isinstance(outcome, Rejected)
        assert outcome.fault == "temporary"
        await transport.close()


async def test_a_timeout_while_waiting_for_a_connection_has_sent_nothing(transport: ResendTransport) -> None:
    outcome = transport._outcome_of_error(httpx.PoolTimeout("full"))
    assert isinstance(outcome, Rejected)
    assert outcome.fault == "temporary"


async def test_an_api_key_that_is_not_a_valid_header(resend: FakeResend) -> None:
    transport = ResendTransport("re_9Zx\nX-Evil: 1", resend.url)
    outcome = await transport.send(make_batch())
    assert isinstance(outcome, Rejected)
    assert (outcome.fault, outcome.code) == ("account", "bad_api_key")
    assert "re_9Zx" not in repr(outcome)
    assert resend.requests == []
    await transport.close()

    transport = ResendTransport(f" {API_KEY}\n", resend.url)
    assert isinstance(await transport.send(make_batch()), Accepted)
    await transport.close()
