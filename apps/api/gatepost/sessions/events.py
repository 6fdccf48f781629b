"""The host's hook `on_session_ended`, called in every process when a session ends."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

from gatepost import log
from gatepost.db import Database
from gatepost.errors import ServiceUnavailable
from gatepost.geoip import GeoIp
from gatepost.sessions.models import Session, set_locations
from gatepost.sessions.service import SessionService

SessionEndHook = Callable[[Session], Awaitable[None]]

SESSION_END_CHANNEL = "gatepost_session_ended"
# After a lost connection, recently ended sessions are read again; those that were reported already are skipped.
_REMEMBERED = 10_000
_RETRY_SECONDS = 1.0

logger = log.get_logger()


class SessionEndListener:
    """Listens for ended sessions and calls the host's hook; after a lost connection it reads what was missed."""

    def __init__(self, database: Database, sessions: SessionService, geoip: GeoIp, hook: SessionEndHook) -> None:
        self._database = database
        self._sessions = sessions
        self._geoip = geoip
        self._hook = hook
        self._received: asyncio.Queue[str] = asyncio.Queue()
        self._reported: deque[UUID] = deque(maxlen=_REMEMBERED)

    def receive(self, session_id: str) -> None:
        """Queue the id of an ended session; an empty text means that some may have been missed."""
        self._received.put_nowait(session_id)

    async def run(self) -> None:
        """Call the hook until cancelled."""
        since = None
        while True:
            received = [await self._received.get()]
            while not self._received.empty():
                received.append(self._received.get_nowait())
            while True:
                with suppress(ServiceUnavailable):
                    ids = [UUID(each) for each in received if each]
                    async with self._database.connection() as connection:
                        now, ended = await self._sessions.list_ended(connection, ids, since if "" in received else None)
                    since = now
                    break
                await asyncio.sleep(_RETRY_SECONDS)
            set_locations(self._geoip, ended)
            for session in ended:
                await self._call(session)

    async def _call(self, session: Session) -> None:
        if session.id in self._reported:
            return
        self._reported.append(session.id)
        try:
            await self._hook(session)
        except Exception as error:  # in the host's code; the next sessions are reported nevertheless
            logger.error("on_session_ended failed", exc_info=error)
