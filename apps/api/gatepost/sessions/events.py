"""A host's own hook: called in every process when a session ends, whoever ended it and wherever."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

from gatepost import log
from gatepost.db.pool import Database
from gatepost.errors import ServiceUnavailable
from gatepost.geoip import Places
from gatepost.sessions import store
from gatepost.sessions.models import Session
from gatepost.settings import Settings

Hook = Callable[[Session], Awaitable[None]]

CHANNEL = "gatepost_session_ends"
# What was told lately is not told again when a lost connection is caught up on.
_REMEMBERED = 10_000
_AGAIN = 1.0

logger = log.get_logger()


class SessionEnds:
    """Hears which sessions end, and tells the host; after a lost connection it tells what was missed."""

    def __init__(self, database: Database, settings: Settings, places: Places, hook: Hook) -> None:
        self._database = database
        self._settings = settings
        self._places = places
        self._hook = hook
        self._heard: asyncio.Queue[str] = asyncio.Queue()
        self._told: deque[UUID] = deque(maxlen=_REMEMBERED)

    def hear(self, session_id: str) -> None:
        """Take the id of a session that has ended; nothing: some may have been missed."""
        self._heard.put_nowait(session_id)

    async def run(self) -> None:
        """Tell the host until cancelled."""
        since = None
        while True:
            heard = [await self._heard.get()]
            while not self._heard.empty():
                heard.append(self._heard.get_nowait())
            while True:
                with suppress(ServiceUnavailable):
                    ids = [UUID(each) for each in heard if each]
                    caught_up = since if "" in heard else None
                    async with self._database.connection() as connection:
                        now, ended = await store.list_ended(connection, self._settings, self._places, ids, caught_up)
                    since = now
                    break
                await asyncio.sleep(_AGAIN)
            for session in ended:
                await self._tell(session)

    async def _tell(self, session: Session) -> None:
        if session.id in self._told:
            return
        self._told.append(session.id)
        try:
            await self._hook(session)
        except Exception as error:  # the host's own; the next is told all the same
            logger.error("on_session_ended failed", exc_info=error)
