"""A server that answers whatever it was given, byte for byte."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Return an HTTP answer; an underscore in a header's name is a hyphen."""
    lines = [f"HTTP/1.1 {status} -", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def canned(raw: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Answer every request with the same bytes and give the server's base URL."""

    open_ones: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
            writer.write(raw)
            await writer.drain()
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        one = asyncio.create_task(serve(reader, writer))
        open_ones.add(one)
        one.add_done_callback(open_ones.discard)

    async with await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls) as server:
        yield f"{'https' if tls else 'http'}://localhost:{server.sockets[0].getsockname()[1]}"
        while open_ones:
            await asyncio.wait([*open_ones])
