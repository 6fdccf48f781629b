"""A database that goes away and comes back: the service reaches it over a cable that a test can cut."""

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
class Cable:
    """Carries bytes between a Unix socket of its own and that of PostgreSQL."""

    url: str
    _near: Path
    _far: Path
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def mend(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_unix_server(self._carry, self._near)

    async def cut(self) -> None:
        """Break every connection, and refuse new ones."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        self._near.unlink(missing_ok=True)
        for writer in tuple(self._open):
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(self._far)
        ends = {writer, far_writer}
        self._open |= ends
        try:
            await asyncio.gather(_pour(reader, far_writer), _pour(far_reader, writer))
        finally:
            self._open -= ends


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def laid_cable(database_url: str) -> AsyncIterator[Cable]:
    """Lay a cable to a database; its `url` is the near end."""
    directory = parse_qs(urlsplit(database_url).query)["host"][0]
    with tempfile.TemporaryDirectory(prefix="gatepost-cable-") as near:
        cable = Cable(database_url.replace(directory, near), Path(near) / _SOCKET, Path(directory) / _SOCKET)
        await cable.mend()
        yield cable
        await cable.cut()
