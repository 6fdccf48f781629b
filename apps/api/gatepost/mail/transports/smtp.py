"""Sending by SMTP, a connection for each message: whatever goes wrong, it is known how far the letter had come."""

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
from typing import cast
from urllib.parse import unquote, urlsplit

from aiosmtplib import SMTP, SMTPResponseException, SMTPServerDisconnected

from gatepost.errors import ConfigurationError
from gatepost.mail.transports.mime import Letter, compose
from gatepost.mail.transports.smtp_replies import Stage, no_reply_outcome, reply_outcome
from gatepost.mail.transports.transport import Accepted, Dispatch, Outcome, Refused

LIMIT = 20.0

_START_INPUT = 354
_MALFORMED = (
    "GATEPOST_SMTP_URL: must be like smtp://user:password@host:587 or smtps://host; "
    "in a password write / ? # @ % as %2F %3F %23 %40 %25"
)
_UNSENDABLE = "This message cannot be written as a letter: an address, its subject or a file's name is malformed."
_NOT_ENCRYPTED = "offers no TLS, and a password is not sent without: use smtps://, or a server that offers STARTTLS."
_NO_UTF8 = "takes no address with other letters than ASCII before its @."


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A mail server and how to sign in to it; `tls` is from the start, else by STARTTLS where it is offered."""

    host: str
    port: int
    tls: bool
    user: str | None = None
    password: str = field(default="", repr=False)

    @classmethod
    def at(cls, url: str) -> SmtpServer:
        """Return the server of an address like `smtp://[user:password@]host[:587]` or `smtps://host[:465]`.

        Raises:
            ConfigurationError: it is not of that form.
        """
        try:
            parts = urlsplit(url)
            tls = {"smtp": False, "smtps": True}[parts.scheme]
            port = parts.port or (465 if tls else 587)
            more = parts.path.strip("/") or parts.query or parts.fragment
            user, password = (
                unquote(parts.username or "", errors="strict"),
                unquote(parts.password or "", errors="strict"),
            )
        except (ValueError, KeyError):
            raise ConfigurationError(_MALFORMED) from None
        if not parts.hostname or more or (password and not user):
            raise ConfigurationError(_MALFORMED)
        return cls(parts.hostname, port, tls, user or None, password)

    @property
    def is_loopback(self) -> bool:
        """Whether what is sent there stays on this machine."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


class SmtpTransport:
    """The way out through a mail server. SMTP knows no keys: what may have been taken is never sent again.

    Raises:
        ConfigurationError: the address is malformed.
    """

    name = "smtp"
    most = 1
    remembers = timedelta(0)

    def __init__(self, url: str, *, limit: float = LIMIT) -> None:
        self._server = SmtpServer.at(url)
        self._limit = limit
        self._tls = ssl.create_default_context()

    async def send(self, dispatch: Dispatch) -> Outcome:
        """Send the one message of a dispatch; takes `limit` seconds at most."""
        try:
            (message,) = dispatch.messages
            letter = compose(message, dispatch.sender)
        except Exception:  # noqa: BLE001 - a frozen message that cannot be written never will be
            return Refused("message", "unsendable", _UNSENDABLE)
        delivery = _Delivery(self._server, self._client())
        try:
            async with asyncio.timeout(self._limit) as clock:
                refusal = await delivery.prepare(letter)
                if clock.expired():  # asyncio.wait_for of Python 3.11 may swallow it
                    raise TimeoutError
                outcome = refusal or await delivery.hand_over(letter)
                delivery.in_step = True
                return outcome
        except Exception as error:  # noqa: BLE001 - whatever it was, the stage tells what it means
            return delivery.outcome_of(error)
        finally:
            delivery.end()

    async def close(self) -> None:
        """Close nothing: each message has a connection of its own."""

    def _client(self) -> SMTP:
        host = socket.gethostname()
        return SMTP(
            hostname=self._server.host,
            port=self._server.port,
            use_tls=self._server.tls,
            tls_context=self._tls,
            timeout=self._limit,
            # Asking DNS for our own name can take longer than everything else.
            local_hostname=host if re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", host) else "[127.0.0.1]",
        )


class _Delivery:
    """One conversation with a mail server: `stage` is how far it has come, `in_step` that no reply is outstanding."""

    def __init__(self, server: SmtpServer, smtp: SMTP) -> None:
        self.stage: Stage = "greeting"
        self.in_step = False
        self._server = server
        self._name = f"The mail server {server.host}"
        self._smtp = smtp
        self._wire: WriteTransport | None = None

    async def prepare(self, letter: Letter) -> Refused | None:
        """Do everything that comes before the letter itself; return why that goes no further, where we stop it.

        Raises:
            SMTPException, OSError, TimeoutError, ValueError: the conversation has failed at `stage`.
        """
        # It upgrades by STARTTLS where that is offered.
        await self._smtp.connect()
        self._wire = cast(WriteTransport, self._smtp.transport)
        if self._smtp.is_ehlo_or_helo_needed:
            await self._smtp.ehlo()
        if self._server.user is not None:
            if self._smtp.get_transport_info("sslcontext") is None and not self._server.is_loopback:
                return Refused("account", "not_encrypted", f"{self._name} {_NOT_ENCRYPTED}")
            self.stage = "login"
            await self._smtp.login(self._server.user, self._server.password)
        if letter.utf8 and not self._smtp.supports_extension("smtputf8"):
            return Refused("message", "not_ascii", f"{self._name} {_NO_UTF8}")
        self.stage = "sender"
        await self._smtp.mail(letter.sender, options=self._options(letter), encoding="utf-8")
        self.stage = "recipient"
        for recipient in letter.recipients:
            await self._smtp.rcpt(recipient, encoding="utf-8")
        self.stage = "data"
        reply = await self._smtp.execute_command(b"DATA")
        if reply.code != _START_INPUT:
            raise SMTPResponseException(reply.code, reply.message)
        return None

    async def hand_over(self, letter: Letter) -> Outcome:
        """Send the letter itself.

        Raises:
            SMTPException, OSError, TimeoutError: the letter may have arrived, if `stage` says so.
        """
        protocol = self._smtp.protocol
        if protocol is None:
            raise SMTPServerDisconnected("the connection was lost")
        protocol.write(re.sub(rb"(?m)^\.", b"..", letter.content) + b".\r\n")
        self.stage = "letter"
        reply = await protocol.read_response(timeout=self._smtp.timeout)
        if not 200 <= reply.code < 300:
            raise SMTPResponseException(reply.code, reply.message)
        return Accepted((letter.id,))

    def outcome_of(self, error: Exception) -> Outcome:
        """Return what a failure means for the message."""
        if isinstance(error, SMTPResponseException):
            self.in_step = error.code > 0
            return reply_outcome(self.stage, self._name, error.code, error.message, *self._secrets())
        return no_reply_outcome(self.stage, self._name, error)

    def end(self) -> None:
        """Leave, without waiting: politely where the server is still in step, else at once."""
        if self._wire is None:
            return
        if self.in_step and not self._wire.is_closing() and not self._wire.get_write_buffer_size():
            self._wire.write(b"QUIT\r\n")
            self._wire.close()
        else:
            # What is still unsent of a letter must not go out once we have said that nobody knows.
            self._wire.abort()

    def _options(self, letter: Letter) -> list[str]:
        options = ["SMTPUTF8", "BODY=8BITMIME"] if letter.utf8 else []
        if self._smtp.supports_extension("size"):
            options.append(f"SIZE={len(letter.content)}")
        return options

    def _secrets(self) -> tuple[str, ...]:
        password = self._server.password
        return (password, base64.b64encode(password.encode()).decode()) if password else ()
