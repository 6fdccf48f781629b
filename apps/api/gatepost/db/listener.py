"""NOTIFY, heard: one connection a process; where it is lost it is taken up again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import asyncpg

from gatepost import log

_AGAIN = 1.0
_CONNECT_TIMEOUT = 5.0

logger = log.get_logger()


class Listener:
    """Calls back with what a channel is told; with nothing each time it begins to listen: something may be missed."""

    def __init__(self, url: str, channels: Mapping[str, Callable[[str], None]]) -> None:
        self._url = url
        self._channels = channels
        self._deaf = False

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await self._listen()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                if not self._deaf:
                    logger.warning("cannot listen to the database", error=type(error).__name__)
                self._deaf = True
            await asyncio.sleep(_AGAIN)

    async def _listen(self) -> None:
        lost = asyncio.Event()
        connection = await asyncpg.connect(
            self._url, timeout=_CONNECT_TIMEOUT, server_settings={"application_name": "gatepost"}
        )
        try:
            connection.add_termination_listener(lambda _: lost.set())
            self._deaf = False
            for channel, heard in self._channels.items():
                await connection.add_listener(channel, lambda *told, heard=heard: heard(str(told[3])))
                heard("")
            await lost.wait()
        finally:
            connection.terminate()
