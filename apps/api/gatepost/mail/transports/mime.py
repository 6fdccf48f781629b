"""A message as SMTP carries it: an envelope, and the bytes of the letter."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address, AddressHeader
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, quote, unquote
from typing import Any, cast

from email_validator import validate_email

from gatepost.mail.transports.transport import Attachment, Message

_LINE = 76
_PLAIN = 60
# What could end a line; joiners of an emoji are not among them.
_CONTROLS = ("Cc", "Zl", "Zp")
_BYTES = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes over the wire; `utf8` where an address needs SMTPUTF8 (RFC 6531). `id` is the Message-ID header."""

    id: str
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    utf8: bool


def compose(message: Message, sender: str) -> Letter:
    """Return the letter of a message, its bodies in ASCII (RFC 2045), so that any server can carry it.

    Raises:
        ValueError: an address, the subject or a file's name cannot be written in a header.
        KeyError, TypeError: the payload is not of the form that `Message` tells.
    """
    parts = message.parts()
    author = _mailbox(sender)
    recipients = [_mailbox(one) for one in parts["to"]]
    if not recipients:
        raise ValueError("there is no recipient")
    identity = f"<{message.id}@{author.domain}>"
    lines = [
        f"Message-ID: {identity}",
        f"Date: {format_datetime(datetime.now(UTC))}",
        f"From: {_written(author)}",
        "To: " + ",\r\n ".join(_written(one) for one in recipients),
        f"Subject: {_subject(parts['subject'])}",
        # No out-of-office reply answers this (RFC 3834, 5).
        "Auto-Submitted: auto-generated",
    ]
    if parts.get("reply_to"):
        lines.append(f"Reply-To: {_written(_mailbox(parts['reply_to']))}")
    head = "\r\n".join(lines) + "\r\n"
    letter = EmailMessage(policy=SMTP)
    _write(letter, parts.get("text"), parts.get("html"))
    for attachment in message.attachments:
        _attach(letter, attachment)
    return Letter(
        id=identity,
        sender=author.addr_spec,
        recipients=tuple(one.addr_spec for one in recipients),
        content=head.encode() + letter.as_bytes(),
        utf8=not head.isascii(),
    )


def _write(letter: EmailMessage, text: str | None, html: str | None) -> None:
    if text or not html:
        letter.set_content(text or "", cte="quoted-printable")
    if text and html:
        letter.add_alternative(html, subtype="html", cte="quoted-printable")
    elif html:
        letter.set_content(html, subtype="html", cte="quoted-printable")


def _attach(letter: EmailMessage, attachment: Attachment) -> None:
    kind: Any = SMTP.header_factory("content-type", attachment.content_type)
    # A part that holds parts may not be written in Base64 (RFC 2046, 5.1 and 5.2.1).
    if kind.defects or kind.maintype in ("multipart", "message"):
        kind = SMTP.header_factory("content-type", _BYTES)
    _refuse_controls(attachment.filename)
    letter.add_attachment(
        attachment.content,
        maintype=kind.maintype,
        subtype=kind.subtype,
        filename=attachment.filename,
        params=dict(kind.params),
    )


def _mailbox(text: str) -> Address:
    """Read an address, or a name and an address in angle brackets; the domain comes out in ASCII."""
    _refuse_controls(text)
    name, _, bracketed = text.rpartition("<")
    bare = bracketed.rstrip().removesuffix(">") if name or text.startswith("<") else text
    found = cast(AddressHeader, SMTP.header_factory("to", bare)).addresses
    if len(found) != 1 or found[0].display_name:
        raise ValueError("this is not one address")
    local, domain = found[0].username, found[0].domain
    if not local or not domain:
        raise ValueError("this address has no name before or no domain after its @")
    if not domain.isascii():
        domain = validate_email(f"x@{domain}", check_deliverability=False).ascii_domain
    return Address(unquote(name.strip()), local, domain)


def _written(mailbox: Address) -> str:
    """Write a mailbox for a header.

    The standard library's own way loses the quotes of a name that it breaks (Python 3.11), so that a comma in a long
    name would begin another address.
    """
    name, address = mailbox.display_name, mailbox.addr_spec
    if not name:
        return address
    return f'"{quote(name)}" <{address}>' if _is_plain(name) else f"{_encoded(name)}\r\n <{address}>"


def _subject(text: str) -> str:
    _refuse_controls(text)
    return text if _is_plain(text) else _encoded(text)


def _is_plain(text: str) -> bool:
    return text.isascii() and len(text) <= _PLAIN and "=?" not in text


def _encoded(text: str) -> str:
    return Header(text, "utf-8", maxlinelen=_LINE, header_name="Reply-To").encode(linesep="\r\n")


def _refuse_controls(text: str) -> None:
    if any(unicodedata.category(char) in _CONTROLS for char in text):
        raise ValueError("this has control characters")
