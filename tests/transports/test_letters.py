"""Letters, as a mail server takes them."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime, timedelta
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.mail.transports.mime import compose
from gatepost.mail.transports.transport import Accepted, Attachment, Refused
from tests.transports.dispatches import SENDER, message, sent
from tests.transports.smtp_server import SmtpServer


def parsed(server: SmtpServer) -> EmailMessage:
    (letter,) = server.letters
    found = email.message_from_bytes(letter.content, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    assert not any(part.defects for part in found.walk())
    return found


def body(letter: EmailMessage, kind: str) -> str:
    part = letter.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


async def test_a_letter_arrives_as_it_was_frozen(server: SmtpServer) -> None:
    one = message(subject="Grüße aus Köln", text="Grüße\n.\n..\n.x\n", html="<p>Grüße</p>" + "x" * 3000)
    outcome = await sent(server, one)
    assert outcome == Accepted((f"<{one.id}@acme.com>",))

    letter = parsed(server)
    assert letter["Message-ID"] == f"<{one.id}@acme.com>"
    assert letter["From"] == "Acme <no-reply@acme.com>"
    assert letter["To"] == "ada@example.com"
    assert letter["Reply-To"] == "help@acme.com"
    assert letter["Subject"] == "Grüße aus Köln"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert abs(datetime.now(UTC) - letter["Date"].datetime) < timedelta(minutes=1)
    assert letter.get_content_type() == "multipart/alternative"
    assert body(letter, "plain") == "Grüße\n.\n..\n.x\n"
    assert body(letter, "html").rstrip("\n") == "<p>Grüße</p>" + "x" * 3000
    assert server.letters[0].sender == "no-reply@acme.com"
    assert server.letters[0].recipients == ["ada@example.com"]
    assert server.letters[0].options == f"SIZE={len(server.letters[0].content)}"
    await server.ended()
    assert server.farewells == 1


async def test_files_go_along(server: SmtpServer) -> None:
    files = (
        Attachment("Übersicht 1.pdf", "application/pdf", bytes(range(256)) * 20),
        Attachment("termin.ics", "text/calendar; method=REQUEST; charset=utf-8", b"BEGIN:VCALENDAR\r\n"),
        Attachment("odd.bin", "not a type", b"\0"),
        Attachment("mail.eml", "message/rfc822", b"Subject: x\r\n\r\nx"),
    )
    assert isinstance(await sent(server, message(attachments=files)), Accepted)
    letter = parsed(server)
    assert letter.get_content_type() == "multipart/mixed"
    found = [*letter.iter_attachments()]
    assert [one.get_filename() for one in found] == [one.filename for one in files]
    assert [one.get_payload(decode=True) for one in found] == [one.content for one in files]
    types = ["application/pdf", "text/calendar", "application/octet-stream", "application/octet-stream"]
    assert [one.get_content_type() for one in found] == types
    assert found[1]["Content-Type"].params["method"] == "REQUEST"
    assert body(letter, "plain") == "Welcome, Ada\n"


@pytest.mark.parametrize(("left_out", "kind"), [("text", "text/html"), ("html", "text/plain")])
async def test_one_body_is_enough(server: SmtpServer, left_out: str, kind: str) -> None:
    members: dict[str, Any] = {left_out: None, "reply_to": None}
    assert isinstance(await sent(server, message(**members)), Accepted)
    assert parsed(server).get_content_type() == kind
    assert parsed(server)["Reply-To"] is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Acme",
        "Acme, Inc.",
        'The "old" \\ one',
        "Müller, Söhne & Co",
        "👩\u200d💻\xa0Acme",
        "=?utf-8?q?x?=",
        "A name that is so long, with a comma, that it takes more than one line, which is as it should be, really",
        "Ein Name, der so lang ist, dass er über mehr als eine Zeile geht, und das ist völlig in Ordnung so, wirklich",
    ],
)
async def test_the_senders_name_survives(server: SmtpServer, name: str) -> None:
    outcome = await sent(server, sender=f"{name} <no-reply@acme.com>" if name else "no-reply@acme.com")
    assert isinstance(outcome, Accepted)
    (found,) = parsed(server)["From"].addresses
    assert found.addr_spec == "no-reply@acme.com"
    # The older parser: the newer one of Python 3.11 leaves a gap between encoded words (RFC 2047, 6.2).
    shown, address = parseaddr(email.message_from_bytes(server.letters[0].content)["From"])
    assert (str(make_header(decode_header(shown))), address) == (name, "no-reply@acme.com")
    assert all(len(line) <= 78 for line in server.letters[0].content.splitlines())


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
LINES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=200)


async def test_a_name_in_quotes_is_a_name(server: SmtpServer) -> None:
    assert isinstance(await sent(server, sender='"Acme, Inc." <no-reply@acme.com>'), Accepted)
    assert parsed(server)["From"].addresses[0].display_name == "Acme, Inc."


@settings(deadline=None)
@given(LINES, TEXTS, TEXTS)
def test_whatever_is_written_is_what_is_read(subject: str, text: str, html: str) -> None:
    letter = compose(message(subject=subject, text=f"{text}.", html=f"{html}."), SENDER)
    found = email.message_from_bytes(letter.content, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    assert letter.content.isascii()
    assert max(map(len, letter.content.split(b"\r\n"))) <= 200
    assert found["Subject"].split() == subject.split()
    for kind, whole in (("plain", text), ("html", html)):
        assert body(found, kind).rstrip("\n") == re.sub(r"\r\n?", "\n", f"{whole}.")


async def test_domains_in_other_letters_are_told_in_ascii(server: SmtpServer) -> None:
    domain = "x" * 60 + "." + "y" * 60 + ".köln"
    one = message("ada@straße.example.com")
    outcome = await sent(server, one, sender=f"no-reply@{domain}")
    assert outcome == Accepted((f"<{one.id}@{'x' * 60}.{'y' * 60}.xn--kln-sna>",))
    assert parsed(server)["Message-ID"] == outcome.ids[0]
    assert server.letters[0].recipients == ["ada@xn--strae-oqa.example.com"]


async def test_other_letters_before_the_at_sign_need_a_server_that_takes_them(server: SmtpServer) -> None:
    outcome = await sent(server, message("zoë@example.com"))
    assert isinstance(outcome, Refused)
    assert (outcome.fault, outcome.code) == ("message", "not_ascii")

    server.extensions += ("SMTPUTF8",)
    assert isinstance(await sent(server, message("zoë@example.com")), Accepted)
    assert server.letters[0].recipients == ["zoë@example.com"]
    assert "To: zoë@example.com".encode() in server.letters[0].content


@pytest.mark.parametrize(
    "odd",
    [
        {"subject": "Hi\r\nBcc: eve@example.com"},
        {"to": ["ada@example.com>\r\nRCPT TO:<eve@example.com"]},
        {"to": ["ada@example.com, eve@example.com"]},
        {"to": ["ada"]},
        {"to": None},
        {"reply_to": "x@example.com\nBcc: eve@example.com"},
        {"text": "\ud800"},
        {"attachments": (Attachment("a\r\nb", "text/plain", b""),)},
    ],
)
async def test_what_cannot_be_a_letter_is_refused_for_good(server: SmtpServer, odd: dict[str, Any]) -> None:
    outcome = await sent(server, message(**odd))
    assert isinstance(outcome, Refused)
    assert (outcome.fault, outcome.code) == ("message", "unsendable")
    assert "eve" not in outcome.words
    assert server.reached.empty()


async def test_an_odd_name_before_the_at_sign_is_quoted(server: SmtpServer) -> None:
    assert isinstance(await sent(server, message('"a\\"> b"@example.com')), Accepted)
    assert server.letters[0].recipients == ['"a\\"> b"@example.com']
