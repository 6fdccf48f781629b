"""An HTTP/1.1 server on bare connections, so that they can be dropped, cut off and left hanging."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import h11

_CHUNK = 1 << 20
Ending = Literal["keep-alive", "reset", "close", "cut", "hang"]


@dataclass(slots=True)
class Request:
    """A request as it came; header names in lower case. `status` is None where no response was sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: datetime | None = None
    status: int | None = None
    fault: str | None = None

    @property
    def key(self) -> str | None:
        """The idempotency key."""
        return self.headers.get("idempotency-key")

    def json(self) -> Any:
        """Return the parsed body; the fake Resend logs bodies only where it keeps them."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """A response, and how the connection ends; `hang` is in seconds, and nothing is sent then."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    ending: Ending = "keep-alive"
    hang: float = 0.0

    @property
    def sent_status(self) -> int | None:
        """The status that the client sees, if any."""
        return self.status if self.ending in {"keep-alive", "cut"} else None


Handler = Callable[[Request], Awaitable[Reply]]


class HttpServer:
    """Listens on a free port of the loopback interface and passes each request to a handler."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []

    async def open(self) -> int:
        """Listen; return the port."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=_CHUNK, backlog=512)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and drop every connection.

        Raises:
            Exception: the first one that the handler raised.
        """
        assert self._server is not None
        self._server.close()
        connections = [*self._connections]
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        await self._server.wait_closed()
        for failure in self._failures:
            raise failure

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._ended)

    def _ended(self, connection: asyncio.Task[None]) -> None:
        self._connections.discard(connection)
        failure = None if connection.cancelled() else connection.exception()
        if failure is not None:
            self._failures.append(failure)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._handle_requests(reader, writer)
        except (OSError, h11.RemoteProtocolError):
            pass  # the client went away
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _handle_requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        while (request := await _receive(connection, reader)) is not None:
            reply = await self._handler(request)
            if not await _send(connection, reader, writer, reply):
                return
            if connection.our_state is h11.MUST_CLOSE:
                return
            connection.start_next_cycle()


async def _receive(connection: h11.Connection, reader: asyncio.StreamReader) -> Request | None:
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_CHUNK))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            assert head is not None
            headers = {name.decode(): value.decode("latin-1") for name, value in head.headers}
            return Request(head.method.decode(), head.target.decode(), headers, bytes(body))
        else:
            return None


async def _send(
    connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, reply: Reply
) -> bool:
    """Send a response; return whether the connection stays open."""
    if reply.ending == "hang":
        with contextlib.suppress(TimeoutError):
            # a client that gives up ends the wait
            await asyncio.wait_for(reader.read(1), reply.hang)
        return False
    if reply.ending == "reset":
        _reset(writer)
        return False
    if reply.ending == "close":
        return False
    headers = {**reply.headers, "content-length": str(len(reply.body))}
    head = h11.Response(status_code=reply.status, headers=[*headers.items()], reason=b"")
    writer.write(connection.send(head) or b"")
    cut = reply.ending == "cut"
    writer.write(connection.send(h11.Data(data=reply.body[: len(reply.body) // 2] if cut else reply.body)) or b"")
    if not cut:
        writer.write(connection.send(h11.EndOfMessage()) or b"")
    await writer.drain()
    return not cut


def _reset(writer: asyncio.StreamWriter) -> None:
    """Drop a connection so that the client sees a reset, not an end."""
    at_once = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    writer.transport.abort()
