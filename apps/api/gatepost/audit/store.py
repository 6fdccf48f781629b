"""The audit log and its seals, in SQL."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from asyncpg import Record

from gatepost.audit.chain import GENESIS, RETENTION, Row, Seal
from gatepost.audit.models import Actor, AuditRow
from gatepost.db import Connection

# The key of the advisory lock: any fixed number, but not that of the migrations.
_LOCK = 0x6761_7465_7365_616C
# Seconds, for statements that read the whole log.
_SECONDS = 3600.0
_PREFETCH = 1000

_RFC3339 = """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""
_ROW = f"""
a.id, to_char(a.at at time zone 'UTC', {_RFC3339}) as at, a.actor, a.action, a.target, a.reason, abbrev(a.ip) as ip,
a.detail::text as detail, a.written_by::text as written_by
"""
_SEAL = f"""
s.position, s.audit_id, encode(s.hash, 'hex') as hash, encode(s.mac, 'hex') as mac, s.key_id, s.drops_to,
s.horizon::text as horizon, s.cluster,
to_char(s.sealed_at at time zone 'UTC', {_RFC3339}) as sealed_at
"""
_HAS_NO_SEAL = "not exists (select from gatepost.audit_seals s where s.audit_id = a.id)"

_SERVER_STATE = f"""
select pg_snapshot_xmin(pg_current_snapshot())::text as horizon, pg_snapshot_xmax(pg_current_snapshot())::text as next,
       (select system_identifier from pg_control_system()) as cluster,
       to_char(clock_timestamp() at time zone 'UTC', {_RFC3339}) as now
"""  # noqa: S608 - constants
_LAST_SEAL = f"select {_SEAL} from gatepost.audit_seals s order by s.position desc limit 1"  # noqa: S608 - constants
_LIST_SEALABLE = f"""
select {_ROW} from gatepost.audit_log a
where a.written_by >= $1::text::xid8 and a.written_by < $2::text::xid8 and {_HAS_NO_SEAL}
order by a.written_by, a.id limit $3
"""  # noqa: S608 - constants
_LIST_UNSEALED = f"select {_ROW} from gatepost.audit_log a where {_HAS_NO_SEAL} order by a.id limit $1"  # noqa: S608
_ADD_SEALS = """
insert into gatepost.audit_seals (position, audit_id, hash, mac, key_id, drops_to, horizon, cluster, sealed_at)
select position, audit_id, decode(hash, 'hex'), decode(mac, 'hex'), $5, $6, $7::text::xid8, $8, $9::text::timestamptz
from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]) as seals (position, audit_id, hash, mac)
"""
_STREAM_SEALS = f"""
select {_SEAL}, {_ROW} from gatepost.audit_seals s left join gatepost.audit_log a on a.id = s.audit_id
where s.position > $1 order by s.position
"""  # noqa: S608 - constants
_FIND_INSERTED = f"""
select a.id from gatepost.audit_log a
where (a.written_by < $1::text::xid8 or a.written_by >= $2::text::xid8) and {_HAS_NO_SEAL}
order by a.id limit 1
"""  # noqa: S608 - constants
_FIND_FIRST_SINCE = """
select s.position from gatepost.audit_seals s join gatepost.audit_log a on a.id = s.audit_id
where s.position > $1 and a.at >= $2 order by s.position limit 1
"""


class ServerState(NamedTuple):
    """The server's id and time, its oldest running transaction (`horizon`), and the next one to begin (`next`)."""

    horizon: int
    next: int
    cluster: int
    now: str


async def lock(connection: Connection) -> None:
    """Lock sealing and dropping until the transaction ends."""
    await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)


async def read_server_state(connection: Connection) -> ServerState:
    """Return the server's state. Later statements see everything that transactions before the horizon wrote."""
    row = _one(await connection.fetchrow(_SERVER_STATE))
    return ServerState(int(row["horizon"]), int(row["next"]), row["cluster"], row["now"])


async def read_last_seal(connection: Connection) -> Seal:
    """Return the last seal, or `GENESIS` if there is none."""
    row = await connection.fetchrow(_LAST_SEAL)
    return _seal(row) if row else GENESIS


async def list_sealable(connection: Connection, horizon: int, until: int, limit: int) -> list[Row]:
    """Return the unsealed rows of the transactions from `horizon` to before `until`, in the order of transactions."""
    return [
        _row(row) for row in await connection.fetch(_LIST_SEALABLE, str(horizon), str(until), limit, timeout=_SECONDS)
    ]


async def list_unsealed(connection: Connection, limit: int) -> list[Row]:
    """Return the unsealed rows of all transactions."""
    return [_row(row) for row in await connection.fetch(_LIST_UNSEALED, limit, timeout=_SECONDS)]


async def add_seals(connection: Connection, seals: Sequence[Seal]) -> None:
    """Insert the seals of one batch, which all have the same key, horizon, cluster and time."""
    first = seals[0]
    await connection.execute(
        _ADD_SEALS,
        [seal.position for seal in seals],
        [seal.audit_id for seal in seals],
        [seal.hash for seal in seals],
        [seal.mac for seal in seals],
        first.key_id,
        first.drops_to,
        str(first.horizon),
        first.cluster,
        first.sealed_at,
    )


async def read_start(connection: Connection) -> Seal:
    """Return the seal after which the log begins: the last one that was dropped, or `GENESIS`."""
    row = await connection.fetchrow(
        "select position, encode(hash, 'hex') as hash from gatepost.audit_drops order by position desc limit 1"
    )
    return GENESIS._replace(position=row["position"], hash=row["hash"]) if row else GENESIS


async def find_drop(connection: Connection, position: int) -> Seal | None:
    """Return the seal that a drop up to a position kept, or None if there was no such drop."""
    query = "select encode(hash, 'hex') from gatepost.audit_drops where position = $1"
    found = await connection.fetchval(query, position)
    return GENESIS._replace(position=position, hash=found) if found else None


async def stream_seals(connection: Connection, after: int) -> AsyncIterator[tuple[Row | None, Seal]]:
    """Stream the seals after a position, each with its row (None: the row is gone). Needs a transaction."""
    async for row in connection.cursor(_STREAM_SEALS, after, prefetch=_PREFETCH):
        yield (_row(row) if row["id"] is not None else None), _seal(row)


async def find_inserted(connection: Connection, last: Seal, server: ServerState) -> int | None:
    """Return the id of the first unsealed row whose transaction is older than the last horizon or not begun."""
    found: int | None = await connection.fetchval(_FIND_INSERTED, str(last.horizon), str(server.next), timeout=_SECONDS)
    return found


async def find_first_since(connection: Connection, after: int, since: datetime) -> int | None:
    """Return the first position after another one whose row was written at a time or later, or None."""
    found: int | None = await connection.fetchval(_FIND_FIRST_SINCE, after, since, timeout=_SECONDS)
    return found


async def read_seal(connection: Connection, position: int) -> Seal:
    """Return the seal at a position, which must exist."""
    query = f"select {_SEAL} from gatepost.audit_seals s where s.position = $1"  # noqa: S608 - constants
    return _seal(_one(await connection.fetchrow(query, position)))


async def find_hash(connection: Connection, position: int) -> str | None:
    """Return the hash of the seal at a position, or None if there is no such seal."""
    query = "select encode(hash, 'hex') from gatepost.audit_seals where position = $1"
    found: str | None = await connection.fetchval(query, position)
    return found


async def record_drop(connection: Connection, seal: Seal, rows: int, before: datetime) -> Row:
    """Record that the log begins after a seal from now on, and return the retention row, which has to be sealed."""
    query = "insert into gatepost.audit_drops (position, hash) values ($1, decode($2, 'hex'))"
    await connection.execute(query, seal.position, seal.hash)
    detail = {"position": seal.position, "hash": seal.hash, "rows": rows, "before": before.isoformat()}
    written = await connection.fetchval(
        "insert into gatepost.audit_log (actor, action, detail) values ('cli', $1, $2) returning id",
        RETENTION,
        json.dumps(detail),
    )
    query = f"select {_ROW} from gatepost.audit_log a where a.id = $1"  # noqa: S608 - constants
    return _row(_one(await connection.fetchrow(query, written)))


async def delete_dropped(connection: Connection, until: int, limit: int) -> int:
    """Delete the first rows up to a position, with their seals. Return how many seals; 0: all are deleted."""
    first = await connection.fetchval("select min(position) from gatepost.audit_seals")
    if first is None or first > until:
        return 0
    end = min(until, first + limit - 1)
    # Rows first, because only their seals show that they may be deleted.
    await connection.execute(
        """
        delete from gatepost.audit_log a using gatepost.audit_seals s where s.audit_id = a.id and s.position <= $1
        """,
        end,
    )
    return len(await connection.fetch("delete from gatepost.audit_seals where position <= $1 returning true", end))


async def record(
    connection: Connection,
    actor: Actor,
    action: str,
    target: str | None,
    *,
    reason: str | None = None,
    detail: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Record an action in the audit log, in the current transaction."""
    query = "select gatepost.record_audit($1, $2, $3, $4, $5, $6)"
    await connection.execute(query, actor.name, action, target, reason, actor.ip, json.dumps(dict(detail)))


async def list_rows(
    connection: Connection, actor: str | None, action: str | None, target: str | None, before: int | None, limit: int
) -> list[AuditRow]:
    """Return audit rows, newest first."""
    rows = await connection.fetch(
        """
        select * from gatepost.audit_log
        where ($1::text is null or actor = $1) and ($2::text is null or action = $2)
          and ($3::text is null or target = $3) and ($4::bigint is null or id < $4)
        order by id desc limit $5
        """,
        actor,
        action,
        target,
        before,
        limit,
    )
    return [
        AuditRow(
            id=row["id"],
            at=row["at"],
            actor=row["actor"],
            action=row["action"],
            target=row["target"],
            reason=row["reason"],
            ip=str(row["ip"]) if row["ip"] is not None else None,
            detail=json.loads(row["detail"]),
        )
        for row in rows
    ]


def _row(row: Record) -> Row:
    return Row(**{name: row[name] for name in Row._fields if name != "written_by"}, written_by=int(row["written_by"]))


def _seal(row: Record) -> Seal:
    return Seal(**{name: row[name] for name in Seal._fields if name != "horizon"}, horizon=int(row["horizon"]))


def _one(row: Record | None) -> Record:
    if row is None:
        raise LookupError
    return row
