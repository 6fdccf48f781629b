"""Webhook deliveries in SQL. A trigger on the end of a session creates one; a worker leases and settles it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from gatepost import log
from gatepost.db import Connection, Database, Lease
from gatepost.sessions import Session
from gatepost.webhooks.models import SessionEnded

logger = log.get_logger()


@dataclass(frozen=True, slots=True)
class Delivery(Lease):
    """A leased delivery; `key` is its id, `attempts` includes this one."""

    event: SessionEnded | None = None
    attempts: int = 0


async def set_url(database: Database, url: str | None) -> None:
    """Queue a delivery for each session that ends from now on; without a URL, undelivered ones are dropped."""
    async with database.transaction() as connection:
        if url is not None:
            await connection.execute("delete from gatepost.webhooks where url <> $1", url)
            await connection.execute("insert into gatepost.webhooks (url) values ($1) on conflict do nothing", url)
            return
        await connection.execute("delete from gatepost.webhooks")
        dropped = await connection.fetchval(
            "with dropped as (delete from gatepost.webhook_deliveries returning true) select count(*) from dropped"
        )
    if dropped:
        logger.warning("GATEPOST_SESSION_WEBHOOK_URL is not set: dropped undelivered webhooks", webhooks=dropped)


async def lease(connection: Connection, worker: UUID, length: timedelta, idle_timeout: timedelta) -> Delivery:
    """Lease a delivery that is due, if there is one."""
    query = """
        select (l.delivery).id as key, (l.delivery).created_at as recorded_at, (l.delivery).attempts,
               (l.session).*, (l.session).end_reason as state
        from gatepost.lease_webhook_delivery($1, $2) l
    """
    row = await connection.fetchrow(query, worker, length)
    if row is None:
        return Delivery()
    session = Session.from_row(row, idle_timeout=idle_timeout)
    return Delivery(
        row["key"], event=SessionEnded(timestamp=row["recorded_at"], data=session), attempts=row["attempts"]
    )


async def complete(connection: Connection, key: UUID) -> None:
    """Delete a delivery that was accepted, even if another worker has leased it meanwhile."""
    await connection.execute("delete from gatepost.webhook_deliveries where id = $1", key)


async def retry_later(connection: Connection, worker: UUID, key: UUID, delay: timedelta, max_age: timedelta) -> bool:
    """Schedule the next attempt after `delay`, or give up and return True if the delivery is older than `max_age`."""
    query = "select gatepost.defer_webhook_delivery($1, $2, $3, $4)"
    return bool(await connection.fetchval(query, key, worker, delay, max_age))


async def renew(connection: Connection, worker: UUID, keys: Collection[UUID], length: timedelta) -> None:
    """Renew the leases of some deliveries."""
    query = "update gatepost.webhook_deliveries set due_at = clock_timestamp() + $3 where worker = $1 and id = any ($2)"
    await connection.execute(query, worker, keys, length)


async def release_all(connection: Connection, worker: UUID) -> None:
    """Release every delivery of a worker."""
    query = "update gatepost.webhook_deliveries set worker = null, due_at = clock_timestamp() where worker = $1"
    await connection.execute(query, worker)
