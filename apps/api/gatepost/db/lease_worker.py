"""Carriers: what all workers do that take things in hand from a queue in the database and settle what becomes of them.

Any number may run, in any number of processes; one that dies loses nothing, for another takes up what it had.
"""

from __future__ import annotations

import asyncio
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar
from uuid import UUID, uuid4

from gatepost import log
from gatepost.db.pool import Connection, Database
from gatepost.errors import ServiceUnavailable

# Seconds between two looks at the queue, for whatever no NOTIFY has told of.
POLL = 1.0
# How long something stays in hand without a word of its worker; the worker renews it three times meanwhile.
LEASE = timedelta(seconds=10)
# Requests on their way at once: a slow receiver must not keep us below its own pace.
IN_FLIGHT = 8
# Seconds that a stop waits for answers before it puts down what is on its way.
PATIENCE = 8.0
# Seconds: the first wait before something is tried again, and the longest.
_FIRST_WAIT = 1.0
LONGEST_WAIT = 600.0
# Seconds that an answer is kept for while the database is away.
_KEEP_ANSWER = 60.0

logger = log.get_logger()


@dataclass(frozen=True, slots=True)
class Lease:
    """Something in hand; without a key nothing is, and `pause` says in how many seconds to ask again.

    Without that either, nothing is due.
    """

    key: UUID | None = None
    pause: float | None = None


_Held = TypeVar("_Held", bound=Lease)


class Carrier(ABC, Generic[_Held]):
    """Takes in hand what is due, several at once, and has each carried in a task of its own.

    `name` is who the log speaks of.
    """

    name: str

    def __init__(self, database: Database) -> None:
        self._database = database
        self._id = uuid4()
        self._woken = asyncio.Event()
        self._room = asyncio.Semaphore(IN_FLIGHT)
        self._under_way: dict[asyncio.Task[None], UUID] = {}
        self._stopping = False
        self._cut_off = False

    @abstractmethod
    async def _lease(self, connection: Connection) -> _Held:
        """Take something in hand, if anything is due."""

    @abstractmethod
    async def _carry(self, lease: _Held) -> None:
        """Carry it, and settle what becomes of it."""

    @abstractmethod
    async def _renew(self, connection: Connection, keys: Collection[UUID]) -> None:
        """Go on having some in hand."""

    @abstractmethod
    async def _put_back_all(self, connection: Connection) -> None:
        """Put down everything in hand."""

    def wake(self, _told: str = "") -> None:
        """Look at the queue now."""
        self._woken.set()

    async def run(self) -> None:
        """Work until `stop`, then finish what is under way, or put it down."""
        renewing = asyncio.create_task(self._keep_renewing())
        try:
            while not self._stopping:
                await self._room.acquire()
                if self._stopping:
                    break
                lease = await self._take()
                if lease is not None and lease.key is not None:
                    self._start(lease, lease.key)
                else:
                    self._room.release()
                    await self._rest(lease.pause if lease is not None else POLL)
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=PATIENCE)
        finally:
            renewing.cancel()
            await self._put_down()

    def stop(self) -> None:
        """Take nothing more in hand."""
        self._stopping = True
        self.wake()

    async def _take(self) -> _Held | None:
        try:
            async with self._database.transaction() as connection:
                found = await self._lease(connection)
        except Exception as error:  # whatever it is, what waits must go on when it is over
            if not self._cut_off:
                logger.warning("nothing can be taken in hand", worker=self.name, exc_info=error)
            self._cut_off = True
            return None
        self._cut_off = False
        return found

    async def _rest(self, pause: float | None) -> None:
        """Wait until there may be something: a wake, the next look, or the moment that the database has named."""
        if pause is not None:
            # What wakes us now would have to wait as well.
            self._woken.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), min(POLL if pause is None else pause, POLL))
        self._woken.clear()

    def _start(self, lease: _Held, key: UUID) -> None:
        task = asyncio.create_task(self._carry(lease))
        self._under_way[task] = key
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.pop(task)
        self._room.release()
        if not task.cancelled() and (error := task.exception()):
            logger.error("something was not settled; it is taken up again", worker=self.name, exc_info=error)

    async def _keep_trying(self, settle: Callable[[Connection], Awaitable[None]]) -> None:
        """Write down what became of something, also when the database is away for a while.

        An answer that is lost is asked for again under the same key.
        """
        until = time.monotonic() + _KEEP_ANSWER
        while True:
            try:
                async with self._database.transaction() as connection:
                    return await settle(connection)
            except ServiceUnavailable:
                if time.monotonic() > until:
                    return None
            await asyncio.sleep(POLL * random.uniform(0.2, 0.6))  # noqa: S311 - not a secret

    async def _keep_renewing(self) -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            if self._under_way:
                with suppress(ServiceUnavailable):
                    async with self._database.transaction() as connection:
                        await self._renew(connection, list(self._under_way.values()))

    async def _put_down(self) -> None:
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        with suppress(ServiceUnavailable):
            async with self._database.transaction() as connection:
                await self._put_back_all(connection)


def wait_after(tries: int) -> float:
    """Return the seconds until the next try: doubled each time, and not the same for all."""
    return min(LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(tries - 1, 20)) * random.uniform(0.5, 1.0)  # noqa: S311
