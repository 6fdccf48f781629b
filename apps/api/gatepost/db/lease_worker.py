"""Lease workers: process the jobs of a queue in the database, each under a lease that is renewed meanwhile.

Any number of workers may run, in any number of processes. One that dies loses nothing: its leases run out, and another
worker takes over its jobs.
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

# Seconds between two polls of the queue, for jobs that no NOTIFY announced.
POLL_SECONDS = 1.0
# How long a lease lasts; the worker renews it three times in that time.
LEASE = timedelta(seconds=10)
# Concurrent jobs per worker: a slow receiver must not keep the worker below its own rate.
CONCURRENCY = 8
# Seconds that a stopping worker waits for its jobs before it releases them.
STOP_SECONDS = 8.0
# Seconds until the first retry, and at most between two retries.
_FIRST_RETRY = 1.0
MAX_RETRY_SECONDS = 600.0
# Seconds for which a result is kept while the database is unavailable.
_KEEP_RESULT_SECONDS = 60.0

logger = log.get_logger()


@dataclass(frozen=True, slots=True)
class Lease:
    """A leased job. Without a key there is none, and `pause` is the seconds until the next poll (None: not known)."""

    key: UUID | None = None
    pause: float | None = None


LeaseT = TypeVar("LeaseT", bound=Lease)


class LeaseWorker(ABC, Generic[LeaseT]):
    """Leases jobs that are due, several at once, and processes each in a task. `name` is for the log."""

    name: str

    def __init__(self, database: Database) -> None:
        self._database = database
        self._id = uuid4()
        self._woken = asyncio.Event()
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._running: dict[asyncio.Task[None], UUID] = {}
        self._stopping = False
        self._failing = False

    @abstractmethod
    async def _lease(self, connection: Connection) -> LeaseT:
        """Lease a job, if one is due."""

    @abstractmethod
    async def _process(self, lease: LeaseT) -> None:
        """Process a job and record the result."""

    @abstractmethod
    async def _renew(self, connection: Connection, keys: Collection[UUID]) -> None:
        """Renew the leases of some jobs."""

    @abstractmethod
    async def _release_all(self, connection: Connection) -> None:
        """Release every job of this worker."""

    def wake(self, _payload: str = "") -> None:
        """Poll the queue now."""
        self._woken.set()

    async def run(self) -> None:
        """Work until `stop`, then finish the running jobs or release them."""
        renewing = asyncio.create_task(self._keep_renewing())
        try:
            while not self._stopping:
                await self._slots.acquire()
                if self._stopping:
                    break
                lease = await self._try_lease()
                if lease is not None and lease.key is not None:
                    self._start(lease, lease.key)
                else:
                    self._slots.release()
                    await self._sleep(lease.pause if lease is not None else POLL_SECONDS)
            if self._running:
                await asyncio.wait(self._running, timeout=STOP_SECONDS)
        finally:
            renewing.cancel()
            await self._release()

    def stop(self) -> None:
        """Lease no more jobs."""
        self._stopping = True
        self.wake()

    async def _try_lease(self) -> LeaseT | None:
        try:
            async with self._database.transaction() as connection:
                lease = await self._lease(connection)
        except Exception as error:  # whatever it is, the worker must go on afterwards
            if not self._failing:
                logger.warning("cannot lease a job", worker=self.name, exc_info=error)
            self._failing = True
            return None
        self._failing = False
        return lease

    async def _sleep(self, pause: float | None) -> None:
        """Wait until a job may be due: until a wake-up, the next poll, or the time that the database returned."""
        if pause is not None:
            # A job that was announced before has to wait as well.
            self._woken.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), min(POLL_SECONDS if pause is None else pause, POLL_SECONDS))
        self._woken.clear()

    def _start(self, lease: LeaseT, key: UUID) -> None:
        task = asyncio.create_task(self._process(lease))
        self._running[task] = key
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task)
        self._slots.release()
        if not task.cancelled() and (error := task.exception()):
            logger.error("a job failed and will be leased again", worker=self.name, exc_info=error)

    async def _record(self, write: Callable[[Connection], Awaitable[None]]) -> None:
        """Record a job's result, also if the database is unavailable for a while.

        If the result is lost in the end, the job is repeated under the same key.
        """
        until = time.monotonic() + _KEEP_RESULT_SECONDS
        while True:
            try:
                async with self._database.transaction() as connection:
                    return await write(connection)
            except ServiceUnavailable:
                if time.monotonic() > until:
                    return None
            await asyncio.sleep(POLL_SECONDS * random.uniform(0.2, 0.6))  # noqa: S311 - not a secret

    async def _keep_renewing(self) -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            if self._running:
                with suppress(ServiceUnavailable):
                    async with self._database.transaction() as connection:
                        await self._renew(connection, list(self._running.values()))

    async def _release(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        with suppress(ServiceUnavailable):
            async with self._database.transaction() as connection:
                await self._release_all(connection)


def retry_seconds(attempts: int) -> float:
    """Return the seconds until the next attempt: doubled after each one, with jitter."""
    delay = min(MAX_RETRY_SECONDS, _FIRST_RETRY * 2.0 ** min(attempts - 1, 20))
    return delay * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret
