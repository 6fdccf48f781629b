"""The mail worker: takes dispatches in hand, hands them to their transports, and settles what becomes of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from gatepost import log
from gatepost.db.lease_worker import LEASE, LONGEST_WAIT, POLL, Carrier, wait_after
from gatepost.db.pool import Connection, Database
from gatepost.errors import ServiceUnavailable
from gatepost.mail.delivery import store as dispatches
from gatepost.mail.delivery.payloads import Composer
from gatepost.mail.delivery.store import DispatchLease
from gatepost.mail.transports.transport import Accepted, Dispatch, Outcome, Refused, Transport
from gatepost.metrics import Metrics

# Seconds before its moment that a dispatch is frozen: a request that a slow commit holds up comes too near the next.
_EARLY = 0.05

logger = log.get_logger()


class Worker(Carrier[DispatchLease]):
    """Sends what is due by the transports of a list, the first choice first."""

    name = "mail"

    def __init__(
        self,
        database: Database,
        composer: Composer,
        transports: Sequence[Transport],
        sender: str,
        metrics: Metrics,
    ) -> None:
        super().__init__(database)
        self._composer = composer
        self._transports: Mapping[str, Transport] = {each.name: each for each in transports}
        self._sender = sender
        self._metrics = metrics

    async def run(self) -> None:
        """Have the transports' rows in the database, as soon as there is one; then work until `stop`."""
        await self._announce()
        await super().run()

    async def _announce(self) -> None:
        while not self._stopping:
            with suppress(ServiceUnavailable):
                async with self._database.transaction() as connection:
                    await dispatches.add_transports(connection, list(self._transports))
                return
            await self._rest(POLL)

    async def _lease(self, connection: Connection) -> DispatchLease:
        return await dispatches.lease(connection, self._id, LEASE, list(self._transports.values()))

    async def _renew(self, connection: Connection, keys: Collection[UUID]) -> None:
        await dispatches.renew(connection, self._id, keys, LEASE)

    async def _put_back_all(self, connection: Connection) -> None:
        await dispatches.put_back_all(connection, self._id)

    async def _carry(self, lease: DispatchLease) -> None:
        if lease.key is None or lease.transport is None:
            return
        transport = self._transports[lease.transport]
        try:
            frozen = await self._frozen(lease.key, transport, time.monotonic() + (lease.pause or 0))
        except ServiceUnavailable:
            await self._put_back(lease.key, timedelta(seconds=2))
        except Exception as error:
            logger.error("a dispatch cannot be made", exc_info=error)
            await self._put_back(lease.key, timedelta(seconds=30))
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
            delay = timedelta(seconds=min(outcome.retry_after or wait_after(tries), LONGEST_WAIT))
            await self._keep_trying(lambda found: dispatches.refuse(found, self._id, dispatch.key, outcome, delay))
        else:
            delay = timedelta(seconds=wait_after(tries))
            await self._keep_trying(lambda found: dispatches.doubt(found, self._id, dispatch.key, outcome, delay))

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

    async def _put_back(self, key: UUID, delay: timedelta) -> None:
        with suppress(ServiceUnavailable):
            async with self._database.transaction() as connection:
                await dispatches.put_back(connection, self._id, key, delay)
