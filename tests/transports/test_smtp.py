"""Letters by SMTP, to a server that keeps the rules and to one that does not."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.errors import ConfigurationError
from gatepost.mail.transports.smtp import SmtpServer as Address
from gatepost.mail.transports.smtp import SmtpTransport
from gatepost.mail.transports.transport import Accepted, Refused, Uncertain
from tests.transports.certificates import Authority
from tests.transports.dispatches import dispatch, message, sent
from tests.transports.smtp_server import SmtpServer

PASSWORD = "pa:ss/word%"
QUOTED = "pa%3Ass%2Fword%25"


@pytest.mark.parametrize(
    ("point", "reply", "fault"),
    [
        ("greeting", "421 not now", "passing"),
        ("greeting", "554 not you", "account"),
        ("EHLO", "450 not now", "passing"),
        ("AUTH", "454 not now", "passing"),
        ("AUTH", "535 5.7.8 wrong", "account"),
        ("MAIL", "451 not now", "passing"),
        ("MAIL", "530 5.7.0 sign in", "account"),
        ("MAIL", "550 5.7.1 not your address", "account"),
        ("MAIL", "552 5.3.4 too large", "message"),
        ("RCPT", "421 not now", "passing"),
        ("RCPT", "450 4.2.1 greylisted", "passing"),
        ("RCPT", "530 5.7.0 sign in", "account"),
        ("RCPT", "550 5.1.1 no such user", "message"),
        ("DATA", "421 not now", "passing"),
        ("DATA", "451 not now", "passing"),
        ("DATA", "554 no valid recipients", "message"),
        ("letter", "421 not now", "passing"),
        ("letter", "452 disk full", "passing"),
        ("letter", "554 5.6.0 spam", "message"),
    ],
)
async def test_a_refusal_is_told_by_its_stage(point: str, reply: str, fault: str) -> None:
    async with SmtpServer(users={"ada": PASSWORD}) as server:
        server.at[point] = reply
        if point == "EHLO":
            server.at["HELO"] = reply
        outcome = await sent(server, user=f"ada:{QUOTED}@")
        assert isinstance(outcome, Refused)
        assert (outcome.fault, outcome.code) == (fault, f"smtp_{reply[:3]}")
        assert reply[4:] in outcome.words
        assert outcome.words.startswith("The mail server 127.0.0.1 ")
        assert server.letters == []
        await server.ended()


@pytest.mark.parametrize("how", ["close", "hang"])
@pytest.mark.parametrize("point", ["greeting", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"])
async def test_cut_off_before_the_letter_it_is_tried_again(point: str, how: str) -> None:
    async with SmtpServer(users={"ada": PASSWORD}) as server:
        server.at[point] = how
        outcome = await sent(server, user=f"ada:{QUOTED}@", limit=0.4 if how == "hang" else 20)
        assert isinstance(outcome, Refused)
        assert outcome.fault == "passing"
        assert (outcome.code == "timeout") == (how == "hang")
        await server.ended()


@pytest.mark.parametrize("how", ["close", "hang", "??? \0", "999 what", "250", "199 hm", "x" * 40_000])
async def test_after_the_letter_nobody_knows(server: SmtpServer, how: str) -> None:
    server.at["letter"] = how
    outcome = await sent(server, limit=0.4 if how == "hang" else 20)
    if how == "250":
        assert isinstance(outcome, Accepted)
    else:
        assert isinstance(outcome, Uncertain)
        assert outcome.final
        assert outcome.code == {"close": "cut_off", "hang": "timeout"}.get(how, "unreadable_reply")
    await server.ended()


async def test_an_acceptance_stands_whatever_the_farewell_is(server: SmtpServer) -> None:
    for server.at["QUIT"] in ("hang", "close", "500 stay"):
        assert isinstance(await sent(server), Accepted)


async def test_giving_up_in_the_middle_of_a_letter_ends_the_connection(server: SmtpServer) -> None:
    server.at["letter"] = "hang"
    sending = asyncio.create_task(sent(server))
    while await server.reached.get() != "letter":
        pass
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    await server.ended()


async def test_signing_in_on_this_machine(server: SmtpServer) -> None:
    server.users = {"ada": PASSWORD}
    assert isinstance(await sent(server, user=f"ada:{QUOTED}@"), Accepted)
    assert (server.letters[0].user, server.letters[0].encrypted) == ("ada", False)


async def test_a_wrong_password_is_the_accounts_fault_and_is_not_repeated(server: SmtpServer) -> None:
    server.users = {"ada": "another"}
    outcome = await sent(server, user=f"ada:{QUOTED}@")
    assert isinstance(outcome, Refused)
    assert (outcome.fault, outcome.code) == ("account", "smtp_535")
    assert "GATEPOST_SMTP_URL" in outcome.words
    assert "not ***" in outcome.words
    assert PASSWORD not in repr(outcome)


async def test_a_server_without_a_way_to_sign_in(server: SmtpServer) -> None:
    outcome = await sent(server, user="ada:x@")
    assert isinstance(outcome, Refused)
    assert (outcome.fault, outcome.code) == ("account", "no_login")


async def test_a_password_is_never_sent_in_the_clear(server: SmtpServer) -> None:
    server.users = {"ada": PASSWORD}
    # On its way to this very machine too, but the name does not tell.
    transport = SmtpTransport(f"smtp://ada:{QUOTED}@0.0.0.0:{server.port}")
    outcome = await transport.send(dispatch())
    assert isinstance(outcome, Refused)
    assert (outcome.fault, outcome.code) == ("account", "not_encrypted")
    await server.ended()
    points = [server.reached.get_nowait() for _ in range(server.reached.qsize())]
    assert points == ["greeting", "EHLO", "QUIT"]


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_tls_where_it_is_offered(authority: Authority, scheme: str) -> None:
    way = "tls" if scheme == "smtps" else "starttls"
    async with SmtpServer(users={"ada": PASSWORD}, **{way: authority.server()}) as server:  # type: ignore[arg-type]
        transport = SmtpTransport(f"{scheme}://ada:{QUOTED}@127.0.0.1:{server.port}")
        assert isinstance(await transport.send(dispatch()), Accepted)
        assert (server.letters[0].user, server.letters[0].encrypted) == ("ada", True)
        await server.ended()
        assert server.breaches == []


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
@pytest.mark.parametrize(
    ("starts", "ends", "hint"),
    [(1, 2, "clock"), (-2, -1, "clock"), (None, None, "not trusted")],
)
async def test_a_certificate_that_is_not_accepted(
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
    starts: int | None,
    ends: int | None,
    hint: str,
) -> None:
    if starts is None or ends is None:
        monkeypatch.delenv("SSL_CERT_FILE")
        tls = authority.server()
    else:
        tls = authority.server(starts_in=timedelta(days=starts), ends_in=timedelta(days=ends))
    async with SmtpServer(**{"tls" if scheme == "smtps" else "starttls": tls}) as server:  # type: ignore[arg-type]
        outcome = await SmtpTransport(f"{scheme}://localhost:{server.port}").send(dispatch())
        assert isinstance(outcome, Refused)
        assert (outcome.fault, outcome.code) == ("passing", "certificate")
        assert hint in outcome.words
        await server.ended()


async def test_starttls_that_is_refused_ends_it(authority: Authority) -> None:
    async with SmtpServer(starttls=authority.server()) as server:
        server.at["STARTTLS"] = "454 not now"
        outcome = await sent(server)
        assert isinstance(outcome, Refused)
        assert (outcome.fault, outcome.code) == ("passing", "smtp_454")
        assert server.letters == []


async def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    outcome = await SmtpTransport(f"smtp://127.0.0.1:{port}").send(dispatch())
    assert isinstance(outcome, Refused)
    assert (outcome.fault, outcome.code) == ("passing", "refused")

    outcome = await SmtpTransport("smtp://nobody..invalid").send(dispatch())
    assert isinstance(outcome, Refused)
    assert outcome.fault == "passing"


async def test_one_message_at_a_time(server: SmtpServer) -> None:
    outcome = await sent(server, message(), message())
    assert isinstance(outcome, Refused)
    assert outcome.fault == "message"
    transport = SmtpTransport("smtp://127.0.0.1")
    assert (transport.name, transport.most, transport.remembers) == ("smtp", 1, timedelta(0))


def test_reading_the_address() -> None:
    assert Address.at("smtp://mail.acme.com") == Address("mail.acme.com", 587, tls=False)
    assert Address.at("smtps://mail.acme.com/") == Address("mail.acme.com", 465, tls=True)
    assert Address.at("smtp://a%40b:c%3Ad@[::1]:25") == Address("::1", 25, tls=False, user="a@b", password="c:d")
    assert "c:d" not in repr(Address.at("smtp://a:c%3Ad@x"))
    assert [Address.at(f"smtp://{host}").is_loopback for host in ("localhost", "127.1.2.3", "[::1]", "x.com")] == [
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "url",
    ["", "http://x", "smtp://", "smtp://x:99999", "smtp://x:y", "smtp://a:p/9w@x", "smtp://a:p#9w@x", "smtp://:p9w@x"],
)
def test_a_malformed_address_is_named_without_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="GATEPOST_SMTP_URL") as caught:
        SmtpTransport(url)
    assert "9w" not in str(caught.value)


REPLIES = st.one_of(
    st.sampled_from(["close", "250 ok", "250-more", "354 go on", "220 hello", "235 in", "421 bye", "550 no"]),
    st.from_regex(r"\A[0-9]{3}[ -][ -~]{0,20}\Z"),
    st.binary(max_size=40).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
)
POINTS = ["greeting", "EHLO", "HELO", "AUTH", "MAIL", "RCPT", "DATA", "letter", "QUIT"]


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(POINTS), REPLIES, max_size=3))
def test_whatever_a_server_says_there_is_an_outcome(at: dict[str, str]) -> None:
    async def tried() -> None:
        async with SmtpServer(users={"ada": PASSWORD}) as server:
            server.at |= at
            outcome = await sent(server, user=f"ada:{QUOTED}@", limit=0.3)
            assert isinstance(outcome, Accepted | Refused | Uncertain)
            assert PASSWORD not in repr(outcome)
            if isinstance(outcome, Refused):
                assert outcome.words.isprintable()

    asyncio.run(tried())
