"""Webhooks in SQL: a delivery is made by the trigger on an end (`tell_of_end`), here it is leased and settled."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from gatepost import log
from gatepost.db.lease_worker import Lease
from gatepost.db.pool import Connection, Database
from gatepost.geoip import Places
from gatepost.sessions.models import Session
from gatepost.webhooks.models import SessionEnded

logger = log.get_logger()


@dataclass(frozen=True, slots=True)
class Delivery(Lease):
    """A webhook in hand; `key` is its id, `tries` how often it was tried, this time included."""

    event: SessionEnded | None = None
    tries: int = 0


async def register(database: Database, url: str | None) -> None:
    """Have ends kept for a URL from now on, in place of any other; for none, what was not delivered is dropped."""
    async with database.transaction() as connection:
        if url is not None:
            await connection.execute("delete from gatepost.webhooks where url <> $1", url)
            await connection.execute("insert into gatepost.webhooks (url) values ($1) on conflict do nothing", url)
            return
        await connection.execute("delete from gatepost.webhooks")
        dropped = await connection.fetchval(
            "with gone as (delete from gatepost.webhook_deliveries returning true) select count(*) from gone"
        )
    if dropped:
        logger.warning("GATEPOST_SESSION_WEBHOOK_URL is not set: undelivered webhooks are dropped", webhooks=dropped)


async def lease(
    connection: Connection, worker: UUID, length: timedelta, idle_timeout: timedelta, places: Places
) -> Delivery:
    """Take a delivery in hand that is due, if there is one."""
    query = """
        select (l.delivery).id as key, (l.delivery).created_at as told_at, (l.delivery).tries,
               (l.session).*, (l.session).end_reason as state
        from gatepost.lease_webhook($1, $2) l
    """
    row = await connection.fetchrow(query, worker, length)
    if row is None:
        return Delivery()
    session = Session.from_row(row, idle_timeout=idle_timeout, places=places, current_id=None)
    return Delivery(row["key"], event=SessionEnded(timestamp=row["told_at"], data=session), tries=row["tries"])


async def accept(connection: Connection, key: UUID) -> None:
    """Settle a delivery that the receiver has taken; true whoever has it in hand by now."""
    await connection.execute("delete from gatepost.webhook_deliveries where id = $1", key)


async def defer(connection: Connection, worker: UUID, key: UUID, delay: timedelta, patience: timedelta) -> bool:
    """Have a delivery tried again after `delay`. True: it is older than `patience`, and given up."""
    query = "select gatepost.defer_webhook($1, $2, $3, $4)"
    return bool(await connection.fetchval(query, key, worker, delay, patience))


async def renew(connection: Connection, worker: UUID, keys: Collection[UUID], length: timedelta) -> None:
    """Go on having some in hand."""
    query = "update gatepost.webhook_deliveries set due_at = clock_timestamp() + $3 where worker = $1 and id = any ($2)"
    await connection.execute(query, worker, keys, length)


async def put_back_all(connection: Connection, worker: UUID) -> None:
    """Put down everything that a worker has in hand."""
    query = "update gatepost.webhook_deliveries set worker = null, due_at = clock_timestamp() where worker = $1"
    await connection.execute(query, worker)
