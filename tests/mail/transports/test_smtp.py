"""Sending by SMTP, to a server that follows the rules and to one that does not."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.errors import ConfigurationError
from gatepost.mail.transports import Accepted, Rejected, Uncertain
from gatepost.mail.transports.smtp import SmtpServer as SmtpUrl
from gatepost.mail.transports.smtp import SmtpTransport
from tests.support.certificates import CertificateAuthority
from tests.support.smtp_server import SmtpServer
from tests.support.transports import make_batch, make_message, send_by_smtp

PASSWORD = "pa:ss/word%"
QUOTED = "pa%3Ass%2Fword%25"


@pytest.mark.parametrize(
    ("stage", "reply", "fault"),
    [
        ("greeting", "421 not now", "temporary"),
        ("greeting", "554 not you", "account"),
        ("EHLO", "450 not now", "temporary"),
        ("AUTH", "454 not now", "temporary"),
        ("AUTH", "535 5.7.8 wrong", "account"),
        ("MAIL", "451 not now", "temporary"),
        ("MAIL", "530 5.7.0 sign in", "account"),
        ("MAIL", "550 5.7.1 not your address", "account"),
        ("MAIL", "552 5.3.4 too large", "message"),
        ("RCPT", "421 not now", "temporary"),
        ("RCPT", "450 4.2.1 greylisted", "temporary"),
        ("RCPT", "530 5.7.0 sign in", "account"),
        ("RCPT", "550 5.1.1 no such user", "message"),
        ("DATA", "421 not now", "temporary"),
        ("DATA", "451 not now", "temporary"),
        ("DATA", "554 no valid recipients", "message"),
        ("content", "421 not now", "temporary"),
        ("content", "452 disk full", "temporary"),
        ("content", "554 5.6.0 spam", "message"),
    ],
)
async def test_an_error_is_classified_by_its_stage(stage: str, reply: str, fault: str) -> None:
    async with SmtpServer(users={"ada": PASSWORD}) as server:
        server.replies[stage] = reply
        if stage == "EHLO":
            server.replies["HELO"] = reply
        outcome = await send_by_smtp(server, login=f"ada:{QUOTED}@")
        assert isinstance(outcome, Rejected)
        assert (outcome.fault, outcome.code) == (fault, f"smtp_{reply[:3]}")
        assert reply[4:] in outcome.message
        assert outcome.message.startswith("The mail server 127.0.0.1 ")
        assert server.messages == []
        await server.wait_closed()


@pytest.mark.parametrize("behaviour", ["close", "hang"])
@pytest.mark.parametrize("stage", ["greeting", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"])
async def test_a_connection_lost_before_the_content_is_temporary(stage: str, behaviour: str) -> None:
    async with SmtpServer(users={"ada": PASSWORD}) as server:
        server.replies[stage] = behaviour
        outcome = await send_by_smtp(server, login=f"ada:{QUOTED}@", limit=0.4 if behaviour == "hang" else 20)
        assert isinstance(outcome, Rejected)
        assert outcome.fault == "temporary"
        assert (outcome.code == "timeout") == (behaviour == "hang")
        await server.wait_closed()


@pytest.mark.parametrize("behaviour", ["close", "hang", "??? \0", "999 what", "250", "199 hm", "x" * 40_000])
async def test_a_connection_lost_after_the_content_is_uncertain(server: SmtpServer, behaviour: str) -> None:
    server.replies["content"] = behaviour
    outcome = await send_by_smtp(server, limit=0.4 if behaviour == "hang" else 20)
    if behaviour == "250":
        assert isinstance(outcome, Accepted)
    else:
        assert isinstance(outcome, Uncertain)
        assert outcome.final
        assert outcome.code == {"close": "cut_off", "hang": "timeout"}.get(behaviour, "unreadable_reply")
    await server.wait_closed()


async def test_an_acceptance_stands_whatever_follows_quit(server: SmtpServer) -> None:
    for server.replies["QUIT"] in ("hang", "close", "500 stay"):
        assert isinstance(await send_by_smtp(server), Accepted)


async def test_cancelling_while_sending_closes_the_connection(server: SmtpServer) -> None:
    server.replies["content"] = "hang"
    task = asyncio.create_task(send_by_smtp(server))
    while await server.stages.get() != "content":
        pass
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await server.wait_closed()


async def test_authentication_on_the_loopback_interface(server: SmtpServer) -> None:
    server.users = {"ada": PASSWORD}
    assert isinstance(await send_by_smtp(server, login=f"ada:{QUOTED}@"), Accepted)
    assert (server.messages[0].user, server.messages[0].encrypted) == ("ada", False)


async def test_a_wrong_password_is_an_account_error_and_is_not_shown(server: SmtpServer) -> None:
    server.users = {"ada": "another"}
    outcome = await send_by_smtp(server, login=f"ada:{QUOTED}@")
    assert isinstance(outcome, Rejected)
    assert (outcome.fault, outcome.code) == ("account", "smtp_535")
    assert "GATEPOST_SMTP_URL" in outcome.message
    assert "not ***" in outcome.message
    assert PASSWORD not in repr(outcome)


async def test_a_server_without_authentication(server: SmtpServer) -> None:
    outcome = await send_by_smtp(server, login="ada:x@")
    assert isinstance(outcome, Rejected)
    assert (outcome.fault, outcome.code) == ("account", "no_login")


async def test_a_password_is_never_sent_unencrypted(server: SmtpServer) -> None:
    server.users = {"ada": PASSWORD}
    # This is the same machine, but the name does not show that.
    transport = SmtpTransport(f"smtp://ada:{QUOTED}@0.0.0.0:{server.port}")
    outcome = await transport.send(make_batch())
    assert isinstance(outcome, Rejected)
    assert (outcome.fault, outcome.code) == ("account", "not_encrypted")
    await server.wait_closed()
    stages = [server.stages.get_nowait() for _ in range(server.stages.qsize())]
    assert stages == ["greeting", "EHLO", "QUIT"]


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_tls_and_starttls(authority: CertificateAuthority, scheme: str) -> None:
    mode = "tls" if scheme == "smtps" else "starttls"
    async with SmtpServer(users={"ada": PASSWORD}, **{mode: authority.server_context()}) as server:  # type: ignore[arg-type]
        transport = SmtpTransport(f"{scheme}://ada:{QUOTED}@127.0.0.1:{server.port}")
        assert isinstance(await transport.send(make_batch()), Accepted)
        assert (server.messages[0].user, server.messages[0].encrypted) == ("ada", True)
        await server.wait_closed()
        assert server.violations == []


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
@pytest.mark.parametrize(
    ("starts", "ends", "hint"),
    [(1, 2, "clock"), (-2, -1, "clock"), (None, None, "not trusted")],
)
async def test_an_invalid_certificate(
    authority: CertificateAuthority,
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
    starts: int | None,
    ends: int | None,
    hint: str,
) -> None:
    if starts is None or ends is None:
        monkeypatch.delenv("SSL_CERT_FILE")
        tls = authority.server_context()
    else:
        tls = authority.server_context(starts_in=timedelta(days=starts), ends_in=timedelta(days=ends))
    async with SmtpServer(**{"tls" if scheme == "smtps" else "starttls": tls}) as server:  # type: ignore[arg-type]
        outcome = await SmtpTransport(f"{scheme}://localhost:{server.port}").send(make_batch())
        assert isinstance(outcome, Rejected)
        assert (outcome.fault, outcome.code) == ("temporary", "certificate")
        assert hint in outcome.message
        await server.wait_closed()


async def test_a_refused_starttls_ends_the_attempt(authority: CertificateAuthority) -> None:
    async with SmtpServer(starttls=authority.server_context()) as server:
        server.replies["STARTTLS"] = "454 not now"
        outcome = await send_by_smtp(server)
        assert isinstance(outcome, Rejected)
        assert (outcome.fault, outcome.code) == ("temporary", "smtp_454")
        assert server.messages == []


async def test_a_refused_connection_and_an_unknown_host() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    outcome = await SmtpTransport(f"smtp://127.0.0.1:{port}").send(make_batch())
    assert isinstance(outcome, Rejected)
    assert (outcome.fault, outcome.code) == ("temporary", "refused")

    outcome = await SmtpTransport("smtp://no-server..invalid").send(make_batch())
    assert isinstance(outcome, Rejected)
    assert outcome.fault == "temporary"


async def test_batches_have_one_message(server: SmtpServer) -> None:
    outcome = await send_by_smtp(server, make_message(), make_message())
    assert isinstance(outcome, Rejected)
    assert outcome.fault == "message"
    transport = SmtpTransport("smtp://127.0.0.1")
    assert (transport.name, transport.max_batch, transport.idempotency_window) == ("smtp", 1, timedelta(0))


def test_urls_are_parsed() -> None:
    assert SmtpUrl.from_url("smtp://mail.acme.com") == SmtpUrl("mail.acme.com", 587, tls=False)
    assert SmtpUrl.from_url("smtps://mail.acme.com/") == SmtpUrl("mail.acme.com", 465, tls=True)
    assert SmtpUrl.from_url("smtp://a%40b:c%3Ad@[::1]:25") == SmtpUrl("::1", 25, tls=False, user="a@b", password="c:d")
    assert "c:d" not in repr(SmtpUrl.from_url("smtp://a:c%3Ad@x"))
    assert [
        SmtpUrl.from_url(f"smtp://{host}").is_loopback for host in ("localhost", "127.1.2.3", "[::1]", "x.com")
    ] == [
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "url",
    ["", "http://x", "smtp://", "smtp://x:99999", "smtp://x:y", "smtp://a:p/9w@x", "smtp://a:p#9w@x", "smtp://:p9w@x"],
)
def test_an_invalid_url_is_reported_without_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="GATEPOST_SMTP_URL") as caught:
        SmtpTransport(url)
    assert "9w" not in str(caught.value)


REPLIES = st.one_of(
    st.sampled_from(["close", "250 ok", "250-more", "354 go on", "220 hello", "235 in", "421 bye", "550 no"]),
    st.from_regex(r"\A[0-9]{3}[ -][ -~]{0,20}\Z"),
    st.binary(max_size=40).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
)
STAGES = ["greeting", "EHLO", "HELO", "AUTH", "MAIL", "RCPT", "DATA", "content", "QUIT"]


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(STAGES), REPLIES, max_size=3))
def test_any_replies_have_an_outcome(replies: dict[str, str]) -> None:
    async def send_once() -> None:
        async with SmtpServer(users={"ada": PASSWORD}) as server:
            server.replies |= replies
            outcome = await send_by_smtp(server, login=f"ada:{QUOTED}@", limit=0.3)
            assert isinstance(outcome, Accepted | Rejected | Uncertain)
            assert PASSWORD not in repr(outcome)
            if isinstance(outcome, Rejected):
                assert outcome.message.isprintable()

    asyncio.run(send_once())
