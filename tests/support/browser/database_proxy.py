"""A proxy between the service and its database, which makes the database unreachable when a test stops it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

_SOCKET = ".s.PGSQL.5432"


@dataclass
class DatabaseProxy:
    """Passes bytes between its own Unix socket and that of PostgreSQL."""

    url: str
    _listen_path: Path
    _target_path: Path
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_unix_server(self._connect, self._listen_path)

    async def stop(self) -> None:
        """Close every connection, and accept no new one."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        self._listen_path.unlink(missing_ok=True)
        for writer in tuple(self._writers):
            writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target_reader, target_writer = await asyncio.open_unix_connection(self._target_path)
        writers = {writer, target_writer}
        self._writers |= writers
        try:
            await asyncio.gather(_copy(reader, target_writer), _copy(target_reader, writer))
        finally:
            self._writers -= writers


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def running_proxy(database_url: str) -> AsyncIterator[DatabaseProxy]:
    """Start a proxy to a database; its `url` leads through the proxy."""
    directory = parse_qs(urlsplit(database_url).query)["host"][0]
    with tempfile.TemporaryDirectory(prefix="gatepost-proxy-") as own:
        proxy = DatabaseProxy(database_url.replace(directory, own), Path(own) / _SOCKET, Path(directory) / _SOCKET)
        await proxy.start()
        yield proxy
        await proxy.stop()
