"""A range API of leaked passwords that keeps the rules of Have I Been Pwned's, and fails on demand.

https://haveibeenpwned.com/API/v3#PwnedPasswords: five hexadecimal digits of a SHA-1, or 400; a user agent, or 403;
lines of `SUFFIX:COUNT` that end in CRLF; with `Add-Padding: true` at least 800 of them, the padding with a count of 0.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from contextlib import suppress
from typing import Literal, Self

from tests.support.fake_resend.http_server import HttpServer, Reply, Request

Fault = Literal["error", "nonsense", "limit", "hang", "down"]

_MIN_LINES = 800
_REPLIES: dict[str, Reply] = {
    "error": Reply(503, b"unavailable"),
    "nonsense": Reply(200, b"<html>\xff\xfe : not a list :: \r\n:\r\n" * 10),
    "limit": Reply(429, b"", {"Retry-After": "2"}),
    "hang": Reply(200, b"", ending="hang", hang=60),
}


class PasswordRange:
    """Listens on a free port of the loopback interface. `requests` are the paths of those received.

    `leaked` passwords have a count; `padded` ones occur among the padding, by an unlikely coincidence.
    """

    def __init__(self, leaked: list[str]) -> None:
        self.leaked = leaked
        self.padded: list[str] = []
        self.fault: str | None = None
        self.requests: list[str] = []
        self.url = ""
        self._server = HttpServer(self._reply)
        self._open = False

    async def __aenter__(self) -> Self:
        self.url = f"http://127.0.0.1:{await self._server.open()}/range"
        self._open = True
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop listening."""
        if self._open:
            self._open = False
            with suppress(OSError):
                await self._server.close()

    async def _reply(self, request: Request) -> Reply:
        self.requests.append(request.path)
        if self.fault is not None:
            return _REPLIES[self.fault]
        match = re.fullmatch(r"/range/([0-9A-Fa-f]{5})", request.path)
        if not match:
            return Reply(400, b"The hash prefix was not in a valid format")
        if not request.headers.get("user-agent"):
            return Reply(403, b"")
        prefix = match[1].upper()
        lines = [f"{suffix}:{42 + number}" for number, suffix in enumerate(_suffixes(self.leaked, prefix))]
        lines += [f"{secrets.token_hex(18)[:35].upper()}:7" for _ in range(400)]
        if request.headers.get("add-padding", "").lower() == "true":
            lines += [f"{suffix}:0" for suffix in _suffixes(self.padded, prefix)]
            lines += [f"{secrets.token_hex(18)[:35].upper()}:0" for _ in range(_MIN_LINES - len(lines))]
        return Reply(200, "\r\n".join(sorted(lines)).encode(), {"Content-Type": "text/plain"})


def _suffixes(passwords: list[str], prefix: str) -> list[str]:
    digests = [hashlib.sha1(each.encode(), usedforsecurity=False).hexdigest().upper() for each in passwords]
    return [digest[5:] for digest in digests if digest.startswith(prefix)]
