"""LISTEN: one connection for all channels of a process, which is opened again after it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncpg

from gatepost import log

_RECONNECT_SECONDS = 1.0
_CONNECT_TIMEOUT = 5.0

logger = log.get_logger()

Callback = Callable[[str], None]


class Listener:
    """Calls back with the payload of each notification, and with an empty one after each connect.

    The empty payload means that notifications may have been missed.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._callbacks: list[tuple[str, Callback]] = []
        self._connected = True

    def subscribe(self, channel: str, callback: Callback) -> None:
        """Call back for each notification of a channel. Must be called before `run`."""
        self._callbacks.append((channel, callback))

    async def run(self) -> None:
        """Listen until cancelled. Without subscriptions, return."""
        while self._callbacks:
            try:
                await self._listen()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                if self._connected:
                    logger.warning("cannot listen for database notifications", error=type(error).__name__)
                self._connected = False
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen(self) -> None:
        lost = asyncio.Event()
        connection = await asyncpg.connect(
            self._url, timeout=_CONNECT_TIMEOUT, server_settings={"application_name": "gatepost"}
        )
        try:
            connection.add_termination_listener(lambda _: lost.set())
            self._connected = True
            for channel, callback in self._callbacks:
                await connection.add_listener(
                    channel, lambda *arguments, callback=callback: callback(str(arguments[3]))
                )
                callback("")
            await lost.wait()
        finally:
            connection.terminate()
