"""Requests that never reach Resend: nothing was sent, and the words say what to do."""

from __future__ import annotations

import socket
from datetime import timedelta

import httpx
import pytest

from gatepost.mail.transports.resend import ResendTransport
from gatepost.mail.transports.transport import Accepted, Refused
from tests.resend import FakeResend
from tests.transports.canned import answer, canned
from tests.transports.certificates import Authority
from tests.transports.dispatches import KEY, dispatch


async def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for url, code in ((f"http://127.0.0.1:{port}", "refused"), ("http://nobody.invalid", "unknown_host")):
        transport = ResendTransport(KEY, url)
        outcome = await transport.send(dispatch())
        assert isinstance(outcome, Refused)
        assert (outcome.fault, outcome.code) == ("passing", code)
        await transport.close()


@pytest.mark.parametrize(
    ("starts", "ends", "hint"), [(1, 2, "is this machine's clock right?"), (-2, -1, "clock"), (None, None, "trusted")]
)
async def test_a_certificate_that_is_not_accepted(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, starts: int | None, ends: int | None, hint: str
) -> None:
    if starts is None or ends is None:
        monkeypatch.delenv("SSL_CERT_FILE")
        tls = authority.server()
    else:
        tls = authority.server(starts_in=timedelta(days=starts), ends_in=timedelta(days=ends))
    async with canned(answer(200, b'{"id":"a"}'), tls) as url:
        transport = ResendTransport(KEY, url)
        outcome = await transport.send(dispatch())
        assert isinstance(outcome, Refused)
        assert (outcome.fault, outcome.code) == ("passing", "certificate")
        assert hint in outcome.words
        await transport.close()


async def test_over_tls(authority: Authority) -> None:
    async with canned(answer(200, b'{"id":"a"}'), authority.server()) as url:
        transport = ResendTransport(KEY, url)
        assert await transport.send(dispatch()) == Accepted(("a",))
        await transport.close()


async def test_tls_where_there_is_none() -> None:
    async with canned(answer(200)) as url:
        transport = ResendTransport(KEY, url.replace("http", "https"), limit=1)
        outcome = await transport.send(dispatch())
        assert isinstance(outcome, Refused)
        assert outcome.fault == "passing"
        await transport.close()


async def test_waiting_in_vain_for_a_connection_has_sent_nothing(transport: ResendTransport) -> None:
    outcome = transport._without_answer(httpx.PoolTimeout("full"))
    assert isinstance(outcome, Refused)
    assert outcome.fault == "passing"


async def test_a_key_that_no_header_can_carry(resend: FakeResend) -> None:
    transport = ResendTransport("re_9Zx\nX-Evil: 1", resend.url)
    outcome = await transport.send(dispatch())
    assert isinstance(outcome, Refused)
    assert (outcome.fault, outcome.code) == ("account", "bad_api_key")
    assert "re_9Zx" not in repr(outcome)
    assert resend.requests == []
    await transport.close()

    transport = ResendTransport(f" {KEY}\n", resend.url)
    assert isinstance(await transport.send(dispatch()), Accepted)
    await transport.close()
