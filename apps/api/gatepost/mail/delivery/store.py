"""SQL of batches: leased, frozen, settled. All times are the database's.

A batch is sent in one request under one idempotency key: one email, or several where the transport allows it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from asyncpg import Record

from gatepost.db import Connection, Lease
from gatepost.mail.outbox import read_attachments
from gatepost.mail.transports import Accepted, Attachment, Rejected, Transport, Uncertain


@dataclass(frozen=True, slots=True)
class BatchLease(Lease):
    """A leased batch with its transport; `pause` is in how many seconds it may be sent."""

    transport: str | None = None


@dataclass(frozen=True, slots=True)
class QueuedEmail:
    """An email as it was queued; `frozen` if its payload was stored by an earlier attempt."""

    id: UUID
    template: str
    version: int | None
    locale: str
    recipient: str
    reply_to: str | None
    variables: Mapping[str, Any]
    notification: Mapping[str, Any] | None
    frozen: bool


@dataclass(frozen=True, slots=True)
class RenderedEmail:
    """A rendered email: its subject, and its payload as JSON."""

    id: UUID
    subject: str
    payload: str


@dataclass(frozen=True, slots=True)
class FrozenEmail:
    """An email whose stored payload is about to be sent; `attempts` includes this one."""

    id: UUID
    payload: str
    notification: Mapping[str, Any] | None
    attachments: tuple[Attachment, ...]
    attempts: int


@dataclass(frozen=True, slots=True)
class FrozenBatch:
    """A batch that is about to be sent, from `sender`."""

    sender: str
    emails: list[FrozenEmail]


async def register_transports(connection: Connection, names: Sequence[str]) -> None:
    """Create a row for each transport. A start resumes those that were paused."""
    query = """
        insert into gatepost.email_transports as t (name) select * from unnest($1::text[])
        on conflict (name) do update set paused_until = '-infinity' where t.paused_until > now()
    """
    await connection.execute(query, names)


async def lease_batch(
    connection: Connection, worker: UUID, length: timedelta, transports: Sequence[Transport]
) -> BatchLease:
    """Lease a batch that is due, or create one of emails that are due. Without either, the lease has no key."""
    query = "select * from gatepost.lease_batch($1, $2, $3, $4)"
    names, sizes = [each.name for each in transports], [each.max_batch for each in transports]
    row = await connection.fetchrow(query, worker, length, names, sizes)
    return BatchLease(row["batch_id"], row["pause"], row["transport"]) if row else BatchLease()


async def read_batch_emails(connection: Connection, batch_id: UUID) -> list[QueuedEmail]:
    """Return the emails of a batch."""
    query = """
        select id, template, version, locale, recipient, reply_to, variables, notification,
               payload is not null as frozen
        from gatepost.emails where batch_id = $1 order by position
    """
    return [
        QueuedEmail(
            id=row["id"],
            template=row["template"],
            version=row["version"],
            locale=row["locale"],
            recipient=row["recipient"],
            reply_to=row["reply_to"],
            variables=json.loads(row["variables"]),
            notification=_notification(row),
            frozen=row["frozen"],
        )
        for row in await connection.fetch(query, batch_id)
    ]


async def fail_emails(connection: Connection, batch_id: UUID, worker: UUID, failed: Mapping[UUID, str]) -> None:
    """Mark emails that cannot be rendered as failed, each with its error message."""
    query = "select gatepost.fail_emails($1, $2, $3, $4)"
    await connection.execute(query, batch_id, worker, list(failed), list(failed.values()))


async def freeze_batch(
    connection: Connection,
    batch_id: UUID,
    worker: UUID,
    sender: str,
    key_lifetime: timedelta,
    rendered: Sequence[RenderedEmail],
) -> FrozenBatch | None:
    """Store the payloads and count an attempt. Return the batch; None if it is empty or its lease was lost."""
    query = "select * from gatepost.freeze_batch($1, $2, $3, $4, $5, $6, $7)"
    columns = [each.id for each in rendered], [each.subject for each in rendered], [each.payload for each in rendered]
    rows = await connection.fetch(query, batch_id, worker, sender, key_lifetime, *columns)
    if not rows:
        return None
    frozen_sender = await connection.fetchval("select sender from gatepost.email_batches where id = $1", batch_id)
    attachments = await read_attachments(connection, [row["id"] for row in rows if row["alone"]])
    return FrozenBatch(
        frozen_sender,
        [
            FrozenEmail(
                row["id"],
                row["payload"],
                _notification(row),
                tuple(attachments.get(row["id"], ())),
                row["attempts"],
            )
            for row in sorted(rows, key=lambda row: int(row["position"]))
        ],
    )


async def settle_accepted_batch(
    connection: Connection, transport: str, batch_id: UUID, email_ids: Sequence[UUID], outcome: Accepted
) -> None:
    """Settle a batch that was accepted."""
    await connection.execute(
        "select gatepost.settle_accepted_batch($1, $2, $3, $4, $5, $6)",
        batch_id,
        transport,
        list(email_ids),
        list(outcome.ids),
        outcome.rate,
        outcome.clock_offset,
    )


async def settle_rejected_batch(
    connection: Connection, worker: UUID, batch_id: UUID, outcome: Rejected, delay: timedelta
) -> None:
    """Settle a batch that was certainly not accepted; `delay` is until the next attempt."""
    await connection.execute(
        "select gatepost.settle_rejected_batch($1, $2, $3, $4, $5, $6, $7)",
        batch_id,
        worker,
        outcome.fault,
        outcome.code,
        outcome.message,
        delay,
        outcome.rate,
    )


async def settle_uncertain_batch(
    connection: Connection, worker: UUID, batch_id: UUID, outcome: Uncertain, delay: timedelta
) -> None:
    """Settle a batch that may or may not have been accepted; `delay` is until it is repeated."""
    await connection.execute(
        "select gatepost.settle_uncertain_batch($1, $2, $3, $4, $5, $6)",
        batch_id,
        worker,
        outcome.code,
        outcome.message,
        delay,
        outcome.final,
    )


async def release_batch(connection: Connection, worker: UUID, batch_id: UUID, delay: timedelta) -> None:
    """Release a batch. If it was attempted, it is repeated after `delay`."""
    await connection.execute("select gatepost.release_batch($1, $2, $3)", batch_id, worker, delay)


async def release_batches(connection: Connection, worker: UUID) -> None:
    """Release all batches of a worker."""
    query = "select gatepost.release_batch(id, $1, '0') from gatepost.email_batches where worker = $1"
    await connection.fetch(query, worker)


async def renew_leases(connection: Connection, worker: UUID, batch_ids: Collection[UUID], length: timedelta) -> None:
    """Renew the leases of batches of a worker."""
    query = "update gatepost.email_batches set due_at = clock_timestamp() + $3 where worker = $1 and id = any ($2)"
    await connection.execute(query, worker, batch_ids, length)


def _notification(row: Record) -> dict[str, Any] | None:
    notification: dict[str, Any] | None = json.loads(row["notification"]) if row["notification"] else None
    return notification
