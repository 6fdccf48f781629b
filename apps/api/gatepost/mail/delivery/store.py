"""Dispatches in SQL: leased, frozen, settled. Every moment is the database's clock's."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from asyncpg import Record

from gatepost.db.lease_worker import Lease
from gatepost.db.pool import Connection
from gatepost.mail.outbox.store import read_files
from gatepost.mail.transports.transport import Accepted, Dispatch, Message, Refused, Transport, Uncertain


@dataclass(frozen=True, slots=True)
class DispatchLease(Lease):
    """A dispatch in hand, with its transport; `pause` is in how many seconds it may go."""

    transport: str | None = None


@dataclass(frozen=True, slots=True)
class Queued:
    """A message as it was queued; `frozen` when it was rendered before."""

    id: UUID
    template: str
    version: int | None
    locale: str
    recipient: str
    reply_to: str | None
    variables: Mapping[str, Any]
    notice: Mapping[str, Any] | None
    frozen: bool


@dataclass(frozen=True, slots=True)
class Composed:
    """A message rendered: its subject, and the JSON text that goes out."""

    id: UUID
    subject: str
    payload: str


async def add_transports(connection: Connection, names: Sequence[str]) -> None:
    """Have a row for each transport; whatever paused them, a start tries anew."""
    query = """
        insert into gatepost.email_transports as t (name) select * from unnest($1::text[])
        on conflict (name) do update set paused_until = '-infinity' where t.paused_until > now()
    """
    await connection.execute(query, names)


async def lease(
    connection: Connection, worker: UUID, length: timedelta, transports: Sequence[Transport]
) -> DispatchLease:
    """Take a dispatch in hand that is due, or make one."""
    query = "select * from gatepost.lease_dispatch($1, $2, $3, $4)"
    names, most = [each.name for each in transports], [each.most for each in transports]
    row = await connection.fetchrow(query, worker, length, names, most)
    return DispatchLease(row["dispatch_id"], row["pause"], row["transport"]) if row else DispatchLease()


async def read_members(connection: Connection, dispatch_id: UUID) -> list[Queued]:
    """Return the messages of a dispatch."""
    query = """
        select id, template, version, locale, recipient, reply_to, variables, notice,
               payload is not null as frozen
        from gatepost.emails where dispatch_id = $1 order by place
    """
    rows = await connection.fetch(query, dispatch_id)
    return [Queued(**{**dict(row), "variables": json.loads(row["variables"]), "notice": _notice(row)}) for row in rows]


async def fail(connection: Connection, dispatch_id: UUID, worker: UUID, failed: Mapping[UUID, str]) -> None:
    """End messages that cannot be rendered, each with its words."""
    query = "select gatepost.fail_emails($1, $2, $3, $4)"
    await connection.execute(query, dispatch_id, worker, list(failed), list(failed.values()))


async def freeze(
    connection: Connection,
    dispatch_id: UUID,
    worker: UUID,
    sender: str,
    remembers: timedelta,
    made: Sequence[Composed],
    fill: Callable[[Mapping[str, Any] | None, str], str],
) -> tuple[Dispatch | None, int]:
    """Freeze what goes out and mark the try; None: nothing goes, or somebody else has it in hand by now.

    `fill` puts a notice's link in the place of its mark: what is kept holds none.

    With it comes how often the messages were tried, this try included.
    """
    query = "select * from gatepost.freeze_dispatch($1, $2, $3, $4, $5, $6, $7)"
    columns = [each.id for each in made], [each.subject for each in made], [each.payload for each in made]
    rows = await connection.fetch(query, dispatch_id, worker, sender, remembers, *columns)
    if not rows:
        return None, 0
    frozen_sender = await connection.fetchval("select sender from gatepost.email_dispatches where id = $1", dispatch_id)
    attachments = await read_files(connection, [row["id"] for row in rows if row["alone"]])
    rows = sorted(rows, key=lambda row: int(row["place"]))
    messages = tuple(
        Message(row["id"], fill(_notice(row), row["payload"]), tuple(attachments.get(row["id"], ()))) for row in rows
    )
    return Dispatch(dispatch_id, frozen_sender, messages), max(row["attempts"] for row in rows)


def _notice(row: Record) -> dict[str, Any] | None:
    notice: dict[str, Any] | None = json.loads(row["notice"]) if row["notice"] else None
    return notice


async def accept(connection: Connection, transport: str, dispatch: Dispatch, outcome: Accepted) -> None:
    """Settle a dispatch that the transport has accepted."""
    await connection.execute(
        "select gatepost.accept_dispatch($1, $2, $3, $4, $5, $6)",
        dispatch.key,
        transport,
        [message.id for message in dispatch.messages],
        list(outcome.ids),
        outcome.pace,
        outcome.clock_off,
    )


async def refuse(connection: Connection, worker: UUID, key: UUID, outcome: Refused, delay: timedelta) -> None:
    """Settle a dispatch that was surely not accepted; `delay` is until the next try."""
    await connection.execute(
        "select gatepost.refuse_dispatch($1, $2, $3, $4, $5, $6, $7)",
        key,
        worker,
        outcome.fault,
        outcome.code,
        outcome.words,
        delay,
        outcome.pace,
    )


async def doubt(connection: Connection, worker: UUID, key: UUID, outcome: Uncertain, delay: timedelta) -> None:
    """Settle a dispatch of which nobody knows; `delay` is until it is repeated."""
    await connection.execute(
        "select gatepost.doubt_dispatch($1, $2, $3, $4, $5, $6)",
        key,
        worker,
        outcome.code,
        outcome.words,
        delay,
        outcome.final,
    )


async def put_back(connection: Connection, worker: UUID, key: UUID, delay: timedelta) -> None:
    """Put a dispatch down; what was tried is repeated after a while."""
    await connection.execute("select gatepost.put_back_dispatch($1, $2, $3)", key, worker, delay)


async def put_back_all(connection: Connection, worker: UUID) -> None:
    """Put down everything that a worker has in hand."""
    query = "select gatepost.put_back_dispatch(id, $1, '0') from gatepost.email_dispatches where worker = $1"
    await connection.fetch(query, worker)


async def renew(connection: Connection, worker: UUID, keys: Collection[UUID], length: timedelta) -> None:
    """Go on having some in hand; what a worker has without knowing of it, others take up in time."""
    query = "update gatepost.email_dispatches set due_at = clock_timestamp() + $3 where worker = $1 and id = any ($2)"
    await connection.execute(query, worker, keys, length)
