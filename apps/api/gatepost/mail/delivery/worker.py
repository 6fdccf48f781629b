"""The email worker: leases batches, hands them to their transports, and settles the outcome."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from gatepost import log
from gatepost.db import LEASE, MAX_RETRY_SECONDS, POLL_SECONDS, Connection, Database, LeaseWorker, retry_seconds
from gatepost.errors import ServiceUnavailable
from gatepost.mail.delivery import store
from gatepost.mail.delivery.payloads import PayloadBuilder
from gatepost.mail.delivery.store import BatchLease, FrozenBatch
from gatepost.mail.transports import Accepted, Batch, Message, Outcome, Rejected, Transport
from gatepost.metrics import Metrics

# Seconds before its time slot that a batch is frozen. If a slow commit delays it, the next request follows too closely.
_FREEZE_AHEAD_SECONDS = 0.05

logger = log.get_logger()


class EmailWorker(LeaseWorker[BatchLease]):
    """Sends emails that are due by the first available transport of a list."""

    name = "mail"

    def __init__(
        self,
        database: Database,
        payloads: PayloadBuilder,
        transports: Sequence[Transport],
        sender: str,
        metrics: Metrics,
    ) -> None:
        super().__init__(database)
        self._payloads = payloads
        self._transports: Mapping[str, Transport] = {each.name: each for each in transports}
        self._sender = sender
        self._metrics = metrics

    async def run(self) -> None:
        """Register the transports as soon as the database is available, then work until `stop`."""
        await self._register()
        await super().run()

    async def _register(self) -> None:
        while not self._stopping:
            with suppress(ServiceUnavailable):
                async with self._database.transaction() as connection:
                    await store.register_transports(connection, list(self._transports))
                return
            await self._sleep(POLL_SECONDS)

    async def _lease(self, connection: Connection) -> BatchLease:
        return await store.lease_batch(connection, self._id, LEASE, list(self._transports.values()))

    async def _renew(self, connection: Connection, keys: Collection[UUID]) -> None:
        await store.renew_leases(connection, self._id, keys, LEASE)

    async def _release_all(self, connection: Connection) -> None:
        await store.release_batches(connection, self._id)

    async def _process(self, lease: BatchLease) -> None:
        if lease.key is None or lease.transport is None:
            return
        transport = self._transports[lease.transport]
        try:
            frozen = await self._freeze(lease.key, transport, time.monotonic() + (lease.pause or 0))
        except ServiceUnavailable as error:
            logger.warning("a batch is retried in 2 s", batch=str(lease.key), exc_info=error)
            await self._release_later(lease.key, timedelta(seconds=2))
        except Exception as error:
            logger.error("cannot prepare a batch", exc_info=error)
            await self._release_later(lease.key, timedelta(seconds=30))
        else:
            if frozen is not None:
                batch = self._batch(lease.key, frozen)
                attempts = max(each.attempts for each in frozen.emails)
                await self._settle(transport, batch, await transport.send(batch), attempts)

    async def _freeze(self, key: UUID, transport: Transport, not_before: float) -> FrozenBatch | None:
        async with self._database.connection() as connection:
            queued = await store.read_batch_emails(connection, key)
        rendered, failed = await self._payloads.build(queued)
        await asyncio.sleep(max(0.0, not_before - _FREEZE_AHEAD_SECONDS - time.monotonic()))
        async with self._database.transaction() as connection:
            if failed:
                await store.fail_emails(connection, key, self._id, failed)
            frozen = await store.freeze_batch(
                connection, key, self._id, self._sender, transport.idempotency_window, rendered
            )
        await asyncio.sleep(max(0.0, not_before - time.monotonic()))
        return frozen

    def _batch(self, key: UUID, frozen: FrozenBatch) -> Batch:
        messages = tuple(
            Message(each.id, self._payloads.insert_link(each.notification, each.payload), each.attachments)
            for each in frozen.emails
        )
        return Batch(key, frozen.sender, messages)

    async def _settle(self, transport: Transport, batch: Batch, outcome: Outcome, attempts: int) -> None:
        self._report(transport, batch, outcome)
        if isinstance(outcome, Accepted):
            ids = [message.id for message in batch.messages]
            await self._record(
                lambda connection: store.settle_accepted_batch(connection, transport.name, batch.key, ids, outcome)
            )
        elif isinstance(outcome, Rejected):
            # However long a delay the provider asks for, the cause may be fixed sooner.
            delay = timedelta(seconds=min(outcome.retry_after or retry_seconds(attempts), MAX_RETRY_SECONDS))
            await self._record(
                lambda connection: store.settle_rejected_batch(connection, self._id, batch.key, outcome, delay)
            )
        else:
            delay = timedelta(seconds=retry_seconds(attempts))
            await self._record(
                lambda connection: store.settle_uncertain_batch(connection, self._id, batch.key, outcome, delay)
            )

    def _report(self, transport: Transport, batch: Batch, outcome: Outcome) -> None:
        count = len(batch.messages)
        name = type(outcome).__name__.lower()
        self._metrics.count_emails(name, count)
        bound = logger.bind(transport=transport.name, batch=str(batch.key), emails=count)
        if isinstance(outcome, Accepted):
            bound.info("emails accepted", **({"clock_offset": outcome.clock_offset} if outcome.clock_offset else {}))
        elif isinstance(outcome, Rejected) and outcome.fault == "rate_limit":
            bound.info("emails rate limited", retry_after=outcome.retry_after)
        else:
            bound.warning(f"emails {name}", code=outcome.code, message=outcome.message)

    async def _release_later(self, key: UUID, delay: timedelta) -> None:
        with suppress(ServiceUnavailable):
            async with self._database.transaction() as connection:
                await store.release_batch(connection, self._id, key, delay)
