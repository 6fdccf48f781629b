"""The worker: takes dispatches in hand, hands them to their transports, and settles what becomes of them.

Any number may run, in any number of processes; a worker that dies loses nothing, for another takes up what it had.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from uuid import UUID, uuid4

from gatepost import log
from gatepost.db import Connection, Database
from gatepost.errors import ServiceUnavailable
from gatepost.mail.outbox import dispatches
from gatepost.mail.outbox.composer import Composer
from gatepost.mail.outbox.dispatches import Lease
from gatepost.mail.transports.transport import Accepted, Dispatch, Outcome, Refused, Transport
from gatepost.metrics import Metrics

# Seconds between two looks at the queue, for whatever no NOTIFY has told of.
POLL = 1.0
# How long a dispatch stays in hand without a word of its worker; the worker renews it three times meanwhile.
LEASE = timedelta(seconds=10)
# Requests on their way at once: a slow provider must not keep us below its own pace.
IN_FLIGHT = 8
# Seconds that a stop waits for answers before it puts down what is on its way.
PATIENCE = 8.0
# Seconds: the first wait before a message is tried again, and the longest.
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 600.0
# Seconds before its moment that a dispatch is frozen: a request that a slow commit holds up comes too near the next.
_EARLY = 0.05
# Seconds that an answer is kept for while the database is away.
_KEEP_ANSWER = 60.0

logger = log.get_logger()


class Worker:
    """Sends what is due by the transports of a list, the first choice first."""

    def __init__(
        self,
        database: Database,
        composer: Composer,
        transports: Sequence[Transport],
        sender: str,
        metrics: Metrics,
    ) -> None:
        self._database = database
        self._composer = composer
        self._transports: Mapping[str, Transport] = {each.name: each for each in transports}
        self._sender = sender
        self._metrics = metrics
        self._id = uuid4()
        self._woken = asyncio.Event()
        self._room = asyncio.Semaphore(IN_FLIGHT)
        self._under_way: dict[asyncio.Task[None], UUID | None] = {}
        self._stopping = False
        self._cut_off = False

    def wake(self, _told: str = "") -> None:
        """Look at the queue now."""
        self._woken.set()

    async def run(self) -> None:
        """Work until `stop`, then finish what is under way, or put it down."""
        renewing = asyncio.create_task(self._renew())
        try:
            await self._announce()
            while not self._stopping:
                await self._room.acquire()
                lease = await self._lease()
                if lease.dispatch_id is not None:
                    self._start(lease)
                else:
                    self._room.release()
                    await self._rest(lease.pause)
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=PATIENCE)
        finally:
            renewing.cancel()
            await self._put_down()

    def stop(self) -> None:
        """Take nothing more in hand."""
        self._stopping = True
        self.wake()

    async def _announce(self) -> None:
        """Have the transports' rows in the database, as soon as there is one."""
        while not self._stopping:
            with suppress(ServiceUnavailable):
                async with self._database.transaction() as connection:
                    await dispatches.add_transports(connection, list(self._transports))
                return
            await self._rest(POLL)

    async def _lease(self) -> Lease:
        if self._stopping:
            return Lease(None, None, None)
        try:
            async with self._database.transaction() as connection:
                found = await dispatches.lease(connection, self._id, LEASE, list(self._transports.values()))
        except Exception as error:  # whatever it is, mail must go on when it is over
            if not self._cut_off:
                logger.warning("the mail worker cannot take anything in hand", exc_info=error)
            self._cut_off = True
            return Lease(None, None, POLL)
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

    def _start(self, lease: Lease) -> None:
        task = asyncio.create_task(self._carry(lease))
        self._under_way[task] = lease.dispatch_id
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.pop(task)
        self._room.release()
        if not task.cancelled() and (error := task.exception()):
            logger.error("a dispatch was not settled; it is taken up again", exc_info=error)

    async def _carry(self, lease: Lease) -> None:
        if lease.dispatch_id is None or lease.transport is None:
            return
        transport = self._transports[lease.transport]
        try:
            frozen = await self._frozen(lease.dispatch_id, transport, time.monotonic() + (lease.pause or 0))
        except ServiceUnavailable:
            await self._put_back(lease.dispatch_id, timedelta(seconds=2))
        except Exception as error:
            logger.error("a dispatch cannot be made", exc_info=error)
            await self._put_back(lease.dispatch_id, timedelta(seconds=30))
        else:
            if frozen[0] is not None:
                await self._settle(transport, frozen[0], await transport.send(frozen[0]), frozen[1])

    async def _frozen(self, key: UUID, transport: Transport, not_before: float) -> tuple[Dispatch | None, int]:
        async with self._database.connection() as connection:
            members = await dispatches.read_members(connection, key)
        made, failed = await self._composer.compose(members)
        await asyncio.sleep(max(0.0, not_before - _EARLY - time.monotonic()))
        async with self._database.transaction() as connection:
            if failed:
                await dispatches.fail(connection, key, self._id, failed)
            frozen = await dispatches.freeze(
                connection, key, self._id, self._sender, transport.remembers, made, self._composer.fill
            )
        await asyncio.sleep(max(0.0, not_before - time.monotonic()))
        return frozen

    async def _settle(self, transport: Transport, dispatch: Dispatch, outcome: Outcome, tries: int) -> None:
        self._tell(transport, dispatch, outcome)
        if isinstance(outcome, Accepted):
            await self._keep_trying(lambda found: dispatches.accept(found, transport.name, dispatch, outcome))
        elif isinstance(outcome, Refused):
            # Whatever the provider names, somebody may mend it sooner.
            delay = timedelta(seconds=min(outcome.retry_after or _wait(tries), _LONGEST_WAIT))
            await self._keep_trying(lambda found: dispatches.refuse(found, self._id, dispatch.key, outcome, delay))
        else:
            delay = timedelta(seconds=_wait(tries))
            await self._keep_trying(lambda found: dispatches.doubt(found, self._id, dispatch.key, outcome, delay))

    async def _keep_trying(self, settle: Callable[[Connection], Awaitable[None]]) -> None:
        """Write down what became of a dispatch, also when the database is away for a while.

        An answer that is lost is asked for again under the same key, where the provider remembers it.
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

    def _tell(self, transport: Transport, dispatch: Dispatch, outcome: Outcome) -> None:
        number = len(dispatch.messages)
        self._metrics.mailed(type(outcome).__name__.lower(), number)
        told = logger.bind(transport=transport.name, dispatch=str(dispatch.key), messages=number)
        if isinstance(outcome, Accepted):
            told.info("mail accepted", **({"clock_off": outcome.clock_off} if outcome.clock_off else {}))
        elif isinstance(outcome, Refused) and outcome.fault == "pace":
            told.info("mail has to wait", retry_after=outcome.retry_after)
        else:
            told.warning(f"mail {type(outcome).__name__.lower()}", code=outcome.code, words=outcome.words)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            keys = [key for key in self._under_way.values() if key is not None]
            if keys:
                with suppress(ServiceUnavailable):
                    async with self._database.transaction() as connection:
                        await dispatches.renew(connection, self._id, keys, LEASE)

    async def _put_back(self, key: UUID, delay: timedelta) -> None:
        with suppress(ServiceUnavailable):
            async with self._database.transaction() as connection:
                await dispatches.put_back(connection, self._id, key, delay)

    async def _put_down(self) -> None:
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        with suppress(ServiceUnavailable):
            async with self._database.transaction() as connection:
                await dispatches.put_back_all(connection, self._id)


def _wait(tries: int) -> float:
    """Return the seconds until the next try: doubled each time, and not the same for all."""
    return min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(tries - 1, 20)) * random.uniform(0.5, 1.0)  # noqa: S311
