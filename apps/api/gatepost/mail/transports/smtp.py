"""Sending by SMTP, with one connection for each message, so that after a failure it is known how far it got."""

from __future__ import annotations

import asyncio
import base64
import re
import socket
import ssl
from asyncio import WriteTransport
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from typing import Literal, cast
from urllib.parse import unquote, urlsplit

from aiosmtplib import SMTP, SMTPResponseException, SMTPServerDisconnected

from gatepost.errors import ConfigurationError
from gatepost.mail.transports.error_messages import explain_connection_error, quote
from gatepost.mail.transports.mime import MimeMessage, build_mime
from gatepost.mail.transports.transport import Accepted, Batch, Fault, Outcome, Rejected, Uncertain

# Seconds for one message.
TIME_LIMIT = 20.0

# How far a conversation got: connecting and TLS, authentication, MAIL, RCPT, DATA, and the content, which may have
# arrived.
Stage = Literal["greeting", "login", "sender", "recipient", "data", "content"]

_START_INPUT = 354
# Authentication required, too weak, wrong, or only after TLS (RFC 4954, 6).
_AUTHENTICATION = (530, 534, 535, 538)
_TOO_LARGE = 552

_MALFORMED = (
    "GATEPOST_SMTP_URL: must be like smtp://user:password@host:587 or smtps://host; "
    "in a password write / ? # @ % as %2F %3F %23 %40 %25"
)
_UNSENDABLE = (
    "This email cannot be encoded: an email address, the subject or a file name is malformed. Correct it and send the "
    "email again."
)
# These continue a sentence that starts with the server.
_NOT_ENCRYPTED = (
    "offers no TLS, and passwords are never sent unencrypted. Use smtps:// or a server that offers STARTTLS."
)
_NO_UTF8 = "does not support non-ASCII characters before the @ of an email address. Use another address."
_UNAVAILABLE = "does not accept email at the moment. The email will be retried."
_TIMEOUT = "did not answer in time. The email will be retried."
_CUT_OFF = "closed the connection before the email was transferred. The email will be retried."
_BAD_ADDRESS = "rejected the sender or the recipient as invalid. Correct the email address."
_NO_AUTHENTICATION = "offers no authentication method that is supported. Check GATEPOST_SMTP_URL."
_NOT_SMTP = "does not speak SMTP correctly. Check GATEPOST_SMTP_URL."
_UNCONFIRMED = "received the email but did not confirm it. Check the server's log before you resend it."
_ACCOUNT_ERRORS: dict[Stage, str] = {
    "greeting": "rejects connections from this machine. Check GATEPOST_SMTP_URL, and which machines the server allows.",
    "login": "rejects the user or the password. Correct GATEPOST_SMTP_URL.",
    "sender": "rejects the sender. Check GATEPOST_MAIL_FROM, and the user in GATEPOST_SMTP_URL.",
}
_MESSAGE_ERRORS: dict[Stage, str] = {
    "sender": "rejects the email because it is too large. Shorten it, or remove attachments.",
    "recipient": "rejects the recipient. Check the email address.",
}


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A mail server and its credentials. `tls`: from the start; otherwise by STARTTLS if the server offers it."""

    host: str
    port: int
    tls: bool
    user: str | None = None
    password: str = field(default="", repr=False)

    @classmethod
    def from_url(cls, url: str) -> SmtpServer:
        """Return the server of a URL like `smtp://[user:password@]host[:587]` or `smtps://host[:465]`.

        Raises:
            ConfigurationError: the URL is malformed.
        """
        try:
            parts = urlsplit(url)
            tls = {"smtp": False, "smtps": True}[parts.scheme]
            port = parts.port or (465 if tls else 587)
            rest = parts.path.strip("/") or parts.query or parts.fragment
            user = unquote(parts.username or "", errors="strict")
            password = unquote(parts.password or "", errors="strict")
        except (ValueError, KeyError):
            raise ConfigurationError(_MALFORMED) from None
        if not parts.hostname or rest or (password and not user):
            raise ConfigurationError(_MALFORMED)
        return cls(parts.hostname, port, tls, user or None, password)

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this machine."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


class SmtpTransport:
    """Sends by a mail server. SMTP has no idempotency keys: what may have been accepted is never sent again.

    Raises:
        ConfigurationError: the URL is malformed.
    """

    name = "smtp"
    max_batch = 1
    idempotency_window = timedelta(0)

    def __init__(self, url: str, *, limit: float = TIME_LIMIT) -> None:
        self._server = SmtpServer.from_url(url)
        self._limit = limit
        self._tls = ssl.create_default_context()

    async def send(self, batch: Batch) -> Outcome:
        """Send the one message of a batch."""
        try:
            (message,) = batch.messages
            mime = build_mime(message, batch.sender)
        except Exception:  # noqa: BLE001 - a frozen message that cannot be encoded now never can be
            return Rejected("message", "unsendable", _UNSENDABLE)
        conversation = _Conversation(self._server, self._client())
        try:
            async with asyncio.timeout(self._limit) as clock:
                rejected = await conversation.prepare(mime)
                if clock.expired():  # asyncio.wait_for of Python 3.11 may swallow the cancellation
                    raise TimeoutError
                outcome = rejected or await conversation.send_content(mime)
                conversation.in_sync = True
                return outcome
        except Exception as error:  # noqa: BLE001 - whatever failed, the stage says what it means
            return conversation.outcome_of(error)
        finally:
            conversation.end()

    async def close(self) -> None:
        """Do nothing: each message has its own connection."""

    def _client(self) -> SMTP:
        host = socket.gethostname()
        return SMTP(
            hostname=self._server.host,
            port=self._server.port,
            use_tls=self._server.tls,
            tls_context=self._tls,
            timeout=self._limit,
            # Looking up this machine's name in DNS can take longer than everything else.
            local_hostname=host if re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", host) else "[127.0.0.1]",
        )


class _Conversation:
    """A connection to a mail server. `stage` is how far it got; `in_sync`: no reply is outstanding."""

    def __init__(self, server: SmtpServer, smtp: SMTP) -> None:
        self.stage: Stage = "greeting"
        self.in_sync = False
        self._server = server
        self._name = f"The mail server {server.host}"
        self._smtp = smtp
        self._wire: WriteTransport | None = None

    async def prepare(self, mime: MimeMessage) -> Rejected | None:
        """Do everything that precedes the content. Return a rejection if we end the conversation ourselves.

        Raises:
            SMTPException, OSError, TimeoutError, ValueError: it failed at `stage`.
        """
        # Upgrades by STARTTLS if that is offered.
        await self._smtp.connect()
        self._wire = cast(WriteTransport, self._smtp.transport)
        if self._smtp.is_ehlo_or_helo_needed:
            await self._smtp.ehlo()
        if self._server.user is not None:
            if self._smtp.get_transport_info("sslcontext") is None and not self._server.is_loopback:
                return Rejected("account", "not_encrypted", f"{self._name} {_NOT_ENCRYPTED}")
            self.stage = "login"
            await self._smtp.login(self._server.user, self._server.password)
        if mime.needs_utf8 and not self._smtp.supports_extension("smtputf8"):
            return Rejected("message", "not_ascii", f"{self._name} {_NO_UTF8}")
        self.stage = "sender"
        await self._smtp.mail(mime.sender, options=self._options(mime), encoding="utf-8")
        self.stage = "recipient"
        for recipient in mime.recipients:
            await self._smtp.rcpt(recipient, encoding="utf-8")
        self.stage = "data"
        reply = await self._smtp.execute_command(b"DATA")
        if reply.code != _START_INPUT:
            raise SMTPResponseException(reply.code, reply.message)
        return None

    async def send_content(self, mime: MimeMessage) -> Outcome:
        """Send the content.

        Raises:
            SMTPException, OSError, TimeoutError: it failed, and the message may have arrived if `stage` says so.
        """
        protocol = self._smtp.protocol
        if protocol is None:
            raise SMTPServerDisconnected("the connection was lost")
        protocol.write(re.sub(rb"(?m)^\.", b"..", mime.content) + b".\r\n")
        self.stage = "content"
        reply = await protocol.read_response(timeout=self._smtp.timeout)
        if not 200 <= reply.code < 300:
            raise SMTPResponseException(reply.code, reply.message)
        return Accepted((mime.id,))

    def outcome_of(self, error: Exception) -> Outcome:
        """Return what an exception means for the message."""
        if isinstance(error, SMTPResponseException):
            self.in_sync = error.code > 0
            return _outcome_of_reply(self.stage, self._name, error.code, quote(error.message, *self._secrets()))
        return _outcome_without_reply(self.stage, self._name, error)

    def end(self) -> None:
        """End the connection without waiting, with QUIT if the server is in sync."""
        if self._wire is None:
            return
        if self.in_sync and not self._wire.is_closing() and not self._wire.get_write_buffer_size():
            self._wire.write(b"QUIT\r\n")
            self._wire.close()
        else:
            # What is still buffered must not be sent after we have reported an uncertain outcome.
            self._wire.abort()

    def _options(self, mime: MimeMessage) -> list[str]:
        options = ["SMTPUTF8", "BODY=8BITMIME"] if mime.needs_utf8 else []
        if self._smtp.supports_extension("size"):
            options.append(f"SIZE={len(mime.content)}")
        return options

    def _secrets(self) -> tuple[str, ...]:
        password = self._server.password
        return (password, base64.b64encode(password.encode()).decode()) if password else ()


def _outcome_of_reply(stage: Stage, server: str, code: int, text: str) -> Outcome:
    """Return what an unexpected reply means; `text` is what the server says, without secrets."""
    says = f" It says: {code} {text}" if text else f" It says: {code}"
    name = f"smtp_{code}"
    if 400 <= code < 500:
        return Rejected("temporary", name, f"{server} {_UNAVAILABLE}{says}")
    if 500 <= code < 600:
        fault, message = _permanent_error(stage, code)
        return Rejected(fault, name, f"{server} {message}{says}")
    if stage == "content":
        return Uncertain("unreadable_reply", f"{server} {_UNCONFIRMED}", final=True)
    return Rejected("temporary", "unreadable_reply", f"{server} {_NOT_SMTP}")


def _outcome_without_reply(stage: Stage, server: str, error: BaseException) -> Outcome:
    """Return what it means that the connection failed, closed or timed out."""
    if stage == "content":
        code = "timeout" if isinstance(error, TimeoutError) else "cut_off"
        return Uncertain(code, f"{server} {_UNCONFIRMED}", final=True)
    if stage == "login" and not isinstance(error, OSError):
        return Rejected("account", "no_login", f"{server} {_NO_AUTHENTICATION}")
    if stage == "greeting":
        return Rejected("temporary", *explain_connection_error(error, server))
    if isinstance(error, ValueError):
        return Rejected("message", "unsendable", f"{server} {_BAD_ADDRESS}")
    if isinstance(error, TimeoutError):
        return Rejected("temporary", "timeout", f"{server} {_TIMEOUT}")
    return Rejected("temporary", "cut_off", f"{server} {_CUT_OFF}")


def _permanent_error(stage: Stage, code: int) -> tuple[Fault, str]:
    if code in _AUTHENTICATION:
        return "account", _ACCOUNT_ERRORS["login"]
    if stage in _ACCOUNT_ERRORS and not (stage == "sender" and code == _TOO_LARGE):
        return "account", _ACCOUNT_ERRORS[stage]
    return "message", _MESSAGE_ERRORS.get(stage, "rejects this email.")
