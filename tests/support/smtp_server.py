"""A mail server: it follows SMTP's rules, records violations of them, and fails on demand.

async with SmtpServer(users={"ada": "secret"}) as server:
    server.replies["RCPT"] = "550 5.1.1 no such user"
    ...
    assert [message.sender for message in server.messages] == [...]
    assert server.violations == []
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

_PATH = re.compile(r"(?:FROM|TO):<((?:\"(?:[^\"\\]|\\.)*\"|[^<>\s\"])+)>((?: [A-Z0-9]+(?:=\S+)?)*)", re.IGNORECASE)
_LONGEST_LINE = 1000


@dataclass
class ReceivedMessage:
    """A message as it was accepted, without the dots that SMTP doubles."""

    sender: str
    recipients: list[str]
    content: bytes
    user: str | None
    encrypted: bool
    options: str


class ConnectionEnded(Exception):
    """The server closes this connection."""


class SmtpServer:
    """A mail server on a free port of the loopback interface.

    `replies` replaces its normal behaviour: {stage: reply, "close" or "hang"}, where a stage is "greeting", a verb, or
    "content" (what follows DATA; with "close" and "hang" the message was received). With `starttls` it offers that,
    with `tls` connections begin with TLS. `stages` are the stages reached.
    """

    def __init__(
        self,
        *,
        users: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
        extensions: tuple[str, ...] = ("8BITMIME", "SIZE 1000000"),
    ) -> None:
        self.users = users or {}
        self.extensions = extensions
        self.starttls = starttls
        self.replies: dict[str, str] = {}
        self.messages: list[ReceivedMessage] = []
        self.violations: list[str] = []
        self.stages: asyncio.Queue[str] = asyncio.Queue()
        self.quits = 0
        self.port = 0
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for connection in [*self._connections]:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    async def wait_closed(self) -> None:
        """Wait until every connection is closed."""
        while self._connections:
            await asyncio.wait([*self._connections])

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(_Connection(self, reader, writer, encrypted=self._tls is not None).run())
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)


@dataclass
class _Connection:
    server: SmtpServer
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    encrypted: bool
    greeted: bool = False
    user: str | None = None
    sender: str | None = None
    options: str = ""
    recipients: list[str] = field(default_factory=list)

    async def run(self) -> None:
        try:
            await self._at("greeting", "220 mail.test ESMTP")
            while True:
                verb, _, rest = (await self._line()).partition(" ")
                await self._handle_command(verb.upper(), rest)
        except (ConnectionEnded, OSError, EOFError):
            pass
        finally:
            self.writer.close()
            with contextlib.suppress(OSError):
                await self.writer.wait_closed()

    async def _handle_command(self, verb: str, rest: str) -> None:
        match verb:
            case "EHLO" | "HELO":
                await self._hello(verb)
            case "STARTTLS" if self.server.starttls is not None and not self.encrypted:
                if await self._at(verb, "220 go ahead"):
                    await self.writer.start_tls(self.server.starttls)
                    self.encrypted, self.greeted = True, False
            case "AUTH" if self.greeted:
                await self._sign_in(rest)
            case "QUIT":
                self.server.quits += 1
                await self._at(verb, "221 bye")
                raise ConnectionEnded
            case _:
                await self._handle_mail_command(verb, rest)

    async def _handle_mail_command(self, verb: str, rest: str) -> None:
        match verb:
            case "MAIL" if self.greeted and self.sender is None:
                await self._mail(rest)
            case "RCPT" if self.sender is not None:
                if await self._at(verb, "250 ok"):
                    self.recipients.append(self._path(rest)[0])
            case "DATA" if self.recipients:
                if await self._at(verb, "354 go ahead"):
                    await self._content()
            case _:
                self._violation(f"{verb} out of turn")
                await self._say("503 bad sequence of commands")

    async def _hello(self, verb: str) -> None:
        self.greeted = True
        extensions = [*self.server.extensions]
        if self.server.starttls is not None and not self.encrypted:
            extensions.append("STARTTLS")
        if self.server.users:
            extensions.append("AUTH PLAIN LOGIN")
        lines = ["mail.test", *(extensions if verb == "EHLO" else [])]
        shown = [f"250{'-' if line is not lines[-1] else ' '}{line}" for line in lines]
        await self._at(verb, "\r\n".join(shown))

    async def _sign_in(self, rest: str) -> None:
        method, _, initial = rest.partition(" ")
        if method.upper() == "PLAIN":
            _, user, password = base64.b64decode(initial).decode().split("\0")
        else:
            user = base64.b64decode(initial).decode()
            await self._say("334 " + base64.b64encode(b"Password:").decode())
            password = base64.b64decode(await self._line()).decode()
        right = self.server.users.get(user) == password
        if await self._at("AUTH", "235 welcome" if right else f"535 5.7.8 not {password}"):
            self.user = user

    async def _mail(self, rest: str) -> None:
        path = self._path(rest)
        if await self._at("MAIL", "250 ok"):
            self.sender, self.options = path

    def _path(self, rest: str) -> tuple[str, str]:
        match = _PATH.fullmatch(rest)
        if match is None:
            self._violation(f"not a path: {rest}")
            return "", ""
        if not match[1].isascii() and "SMTPUTF8" not in f"{match[2]} {self.options}":
            self._violation(f"not ASCII: {rest}")
        return match[1], match[2].strip()

    async def _content(self) -> None:
        lines: list[bytes] = []
        while (line := await self.reader.readuntil(b"\n")) != b".\r\n":
            if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
                self._violation("a bare CR or LF in a message")
            if len(line) > _LONGEST_LINE:
                self._violation("a line of a message is too long")
            if not line.isascii() and "8BITMIME" not in self.options:
                self._violation("a message is not ASCII")
            lines.append(line[1:] if line.startswith(b".") else line)
        reply = self.server.replies.get("content", "250 accepted")
        if reply in ("close", "hang") or reply.startswith("250"):
            content = b"".join(lines)
            assert self.sender is not None
            message = ReceivedMessage(self.sender, self.recipients, content, self.user, self.encrypted, self.options)
            self.server.messages.append(message)
        self.sender, self.recipients = None, []
        await self._at("content", "250 accepted")

    async def _line(self) -> str:
        line = await self.reader.readuntil(b"\n")
        if not line.endswith(b"\r\n"):
            self._violation("a command without CRLF")
        return line.decode().rstrip("\r\n")

    async def _at(self, stage: str, reply: str) -> bool:
        """Reply, or do what `replies` says instead; return whether the reply was positive."""
        self.server.stages.put_nowait(stage)
        reply = self.server.replies.get(stage, reply)
        if reply == "hang":
            await self.reader.read()
        if reply in ("close", "hang"):
            raise ConnectionEnded
        await self._say(reply)
        return reply[:1] in ("2", "3")

    async def _say(self, reply: str) -> None:
        self.writer.write(reply.encode("utf-8", "surrogateescape") + b"\r\n")
        await self.writer.drain()

    def _violation(self, text: str) -> None:
        self.server.violations.append(text)
