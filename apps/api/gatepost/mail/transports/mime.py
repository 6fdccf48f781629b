"""A message in MIME format, and its SMTP envelope."""

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

_MAX_LINE = 76
# Longer texts are encoded, so that they are folded.
_MAX_PLAIN = 60
# Unicode categories of characters that may end a line. Joiners of emoji are not among them.
_LINE_BREAKING = ("Cc", "Zl", "Zp")
_BINARY = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class MimeMessage:
    """Headers and bodies as bytes in `content`, with the envelope's `sender` and `recipients`.

    `id` is the Message-ID header. `needs_utf8`: an email address requires SMTPUTF8 (RFC 6531).
    """

    id: str
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    needs_utf8: bool


def build_mime(message: Message, sender: str) -> MimeMessage:
    """Return a message in MIME format. Its bodies are encoded in ASCII (RFC 2045), which every server accepts.

    Raises:
        ValueError: an email address, the subject or a file name cannot be written in a header.
        KeyError, TypeError: the payload does not have the format that `Message` documents.
    """
    parts = message.parts()
    author = _parse_address(sender)
    recipients = [_parse_address(one) for one in parts["to"]]
    if not recipients:
        raise ValueError("there is no recipient")
    message_id = f"<{message.id}@{author.domain}>"
    lines = [
        f"Message-ID: {message_id}",
        f"Date: {format_datetime(datetime.now(UTC))}",
        f"From: {_format_address(author)}",
        "To: " + ",\r\n ".join(_format_address(one) for one in recipients),
        f"Subject: {_subject(parts['subject'])}",
        # Prevents out-of-office replies (RFC 3834, 5).
        "Auto-Submitted: auto-generated",
    ]
    if parts.get("reply_to"):
        lines.append(f"Reply-To: {_format_address(_parse_address(parts['reply_to']))}")
    headers = "\r\n".join(lines) + "\r\n"
    body = EmailMessage(policy=SMTP)
    _set_bodies(body, parts.get("text"), parts.get("html"))
    for attachment in message.attachments:
        _attach(body, attachment)
    return MimeMessage(
        id=message_id,
        sender=author.addr_spec,
        recipients=tuple(one.addr_spec for one in recipients),
        content=headers.encode() + body.as_bytes(),
        needs_utf8=not headers.isascii(),
    )


def _set_bodies(body: EmailMessage, text: str | None, html: str | None) -> None:
    if text or not html:
        body.set_content(text or "", cte="quoted-printable")
    if text and html:
        body.add_alternative(html, subtype="html", cte="quoted-printable")
    elif html:
        body.set_content(html, subtype="html", cte="quoted-printable")


def _attach(body: EmailMessage, attachment: Attachment) -> None:
    kind: Any = SMTP.header_factory("content-type", attachment.content_type)
    # Parts that contain parts must not be encoded in Base64 (RFC 2046, 5.1 and 5.2.1).
    if kind.defects or kind.maintype in ("multipart", "message"):
        kind = SMTP.header_factory("content-type", _BINARY)
    _check_characters(attachment.filename)
    body.add_attachment(
        attachment.content,
        maintype=kind.maintype,
        subtype=kind.subtype,
        filename=attachment.filename,
        params=dict(kind.params),
    )


def _parse_address(text: str) -> Address:
    """Parse an email address, or a name and an email address in angle brackets. The domain becomes ASCII."""
    _check_characters(text)
    name, _, bracketed = text.rpartition("<")
    bare = bracketed.rstrip().removesuffix(">") if name or text.startswith("<") else text
    found = cast(AddressHeader, SMTP.header_factory("to", bare)).addresses
    if len(found) != 1 or found[0].display_name:
        raise ValueError("this is not one email address")
    local, domain = found[0].username, found[0].domain
    if not local or not domain:
        raise ValueError("this email address has no local part or no domain")
    if not domain.isascii():
        domain = validate_email(f"x@{domain}", check_deliverability=False).ascii_domain
    return Address(unquote(name.strip()), local, domain)


def _format_address(address: Address) -> str:
    """Return a name and email address for a header.

    The standard library loses the quotes of a name when it folds the line (Python 3.11), so that a comma in a long name
    would start another address.
    """
    name, spec = address.display_name, address.addr_spec
    if not name:
        return spec
    return f'"{quote(name)}" <{spec}>' if _is_plain(name) else f"{_encode(name)}\r\n <{spec}>"


def _subject(text: str) -> str:
    _check_characters(text)
    return text if _is_plain(text) else _encode(text)


def _is_plain(text: str) -> bool:
    return text.isascii() and len(text) <= _MAX_PLAIN and "=?" not in text


def _encode(text: str) -> str:
    return Header(text, "utf-8", maxlinelen=_MAX_LINE, header_name="Reply-To").encode(linesep="\r\n")


def _check_characters(text: str) -> None:
    if any(unicodedata.category(char) in _LINE_BREAKING for char in text):
        raise ValueError("this contains control characters")
