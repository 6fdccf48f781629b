"""MIME messages, as a mail server receives them."""

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

from gatepost.mail.transports import Accepted, Attachment, Rejected, build_mime
from tests.support.mail import SENDER
from tests.support.smtp_server import SmtpServer
from tests.support.transports import make_message, send_by_smtp


def parsed(server: SmtpServer) -> EmailMessage:
    (message,) = server.messages
    found = email.message_from_bytes(message.content, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    assert not any(part.defects for part in found.walk())
    return found


def body_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


async def test_a_message_arrives_as_it_was_rendered(server: SmtpServer) -> None:
    one = make_message(subject="Grüße aus Köln", text="Grüße\n.\n..\n.x\n", html="<p>Grüße</p>" + "x" * 3000)
    outcome = await send_by_smtp(server, one)
    assert outcome == Accepted((f"<{one.id}@acme.com>",))

    message = parsed(server)
    assert message["Message-ID"] == f"<{one.id}@acme.com>"
    assert message["From"] == "Acme <no-reply@acme.com>"
    assert message["To"] == "ada@example.com"
    assert message["Reply-To"] == "help@acme.com"
    assert message["Subject"] == "Grüße aus Köln"
    assert message["Auto-Submitted"] == "auto-generated"
    assert abs(datetime.now(UTC) - message["Date"].datetime) < timedelta(minutes=1)
    assert message.get_content_type() == "multipart/alternative"
    assert body_of(message, "plain") == "Grüße\n.\n..\n.x\n"
    assert body_of(message, "html").rstrip("\n") == "<p>Grüße</p>" + "x" * 3000
    assert server.messages[0].sender == "no-reply@acme.com"
    assert server.messages[0].recipients == ["ada@example.com"]
    assert server.messages[0].options == f"SIZE={len(server.messages[0].content)}"
    await server.wait_closed()
    assert server.quits == 1


async def test_attachments_are_sent(server: SmtpServer) -> None:
    files = (
        Attachment("Übersicht 1.pdf", "application/pdf", bytes(range(256)) * 20),
        Attachment("termin.ics", "text/calendar; method=REQUEST; charset=utf-8", b"BEGIN:VCALENDAR\r\n"),
        Attachment("odd.bin", "not a type", b"\0"),
        Attachment("mail.eml", "message/rfc822", b"Subject: x\r\n\r\nx"),
    )
    assert isinstance(await send_by_smtp(server, make_message(attachments=files)), Accepted)
    message = parsed(server)
    assert message.get_content_type() == "multipart/mixed"
    found = [*message.iter_attachments()]
    assert [one.get_filename() for one in found] == [one.filename for one in files]
    assert [one.get_payload(decode=True) for one in found] == [one.content for one in files]
    types = ["application/pdf", "text/calendar", "application/octet-stream", "application/octet-stream"]
    assert [one.get_content_type() for one in found] == types
    assert found[1]["Content-Type"].params["method"] == "REQUEST"
    assert body_of(message, "plain") == "Welcome, Ada\n"


@pytest.mark.parametrize(("removed", "kind"), [("text", "text/html"), ("html", "text/plain")])
async def test_a_single_body_is_enough(server: SmtpServer, removed: str, kind: str) -> None:
    members: dict[str, Any] = {removed: None, "reply_to": None}
    assert isinstance(await send_by_smtp(server, make_message(**members)), Accepted)
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
async def test_any_sender_name_arrives(server: SmtpServer, name: str) -> None:
    outcome = await send_by_smtp(server, sender=f"{name} <no-reply@acme.com>" if name else "no-reply@acme.com")
    assert isinstance(outcome, Accepted)
    (found,) = parsed(server)["From"].addresses
    assert found.addr_spec == "no-reply@acme.com"
    # The older parser: the newer one of Python 3.11 leaves a space between encoded words (RFC 2047, 6.2).
    shown, address = parseaddr(email.message_from_bytes(server.messages[0].content)["From"])
    assert (str(make_header(decode_header(shown))), address) == (name, "no-reply@acme.com")
    assert all(len(line) <= 78 for line in server.messages[0].content.splitlines())


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
LINES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=200)


async def test_a_quoted_sender_name_is_parsed(server: SmtpServer) -> None:
    assert isinstance(await send_by_smtp(server, sender='"Acme, Inc." <no-reply@acme.com>'), Accepted)
    assert parsed(server)["From"].addresses[0].display_name == "Acme, Inc."


@settings(deadline=None)
@given(LINES, TEXTS, TEXTS)
def test_any_content_arrives_unchanged(subject: str, text: str, html: str) -> None:
    message = build_mime(make_message(subject=subject, text=f"{text}.", html=f"{html}."), SENDER)
    found = email.message_from_bytes(message.content, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    assert message.content.isascii()
    assert max(map(len, message.content.split(b"\r\n"))) <= 200
    assert found["Subject"].split() == subject.split()
    for kind, whole in (("plain", text), ("html", html)):
        assert body_of(found, kind).rstrip("\n") == re.sub(r"\r\n?", "\n", f"{whole}.")


async def test_domains_with_other_characters_are_sent_in_ascii(server: SmtpServer) -> None:
    domain = "x" * 60 + "." + "y" * 60 + ".köln"
    one = make_message("ada@straße.example.com")
    outcome = await send_by_smtp(server, one, sender=f"no-reply@{domain}")
    assert outcome == Accepted((f"<{one.id}@{'x' * 60}.{'y' * 60}.xn--kln-sna>",))
    assert parsed(server)["Message-ID"] == outcome.ids[0]
    assert server.messages[0].recipients == ["ada@xn--strae-oqa.example.com"]


async def test_other_characters_in_the_local_part_need_smtputf8(server: SmtpServer) -> None:
    outcome = await send_by_smtp(server, make_message("zoë@example.com"))
    assert isinstance(outcome, Rejected)
    assert (outcome.fault, outcome.code) == ("message", "not_ascii")

    server.extensions += ("SMTPUTF8",)
    assert isinstance(await send_by_smtp(server, make_message("zoë@example.com")), Accepted)
    assert server.messages[0].recipients == ["zoë@example.com"]
    assert "To: zoë@example.com".encode() in server.messages[0].content


@pytest.mark.parametrize(
    "change",
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
async def test_an_invalid_message_is_rejected_for_good(server: SmtpServer, change: dict[str, Any]) -> None:
    outcome = await send_by_smtp(server, make_message(**change))
    assert isinstance(outcome, Rejected)
    assert (outcome.fault, outcome.code) == ("message", "unsendable")
    assert "eve" not in outcome.message
    assert server.stages.empty()


async def test_a_quoted_local_part(server: SmtpServer) -> None:
    assert isinstance(await send_by_smtp(server, make_message('"a\\"> b"@example.com')), Accepted)
    assert server.messages[0].recipients == ['"a\\"> b"@example.com']
