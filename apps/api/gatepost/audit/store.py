"""The audit log and its seals, in SQL."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import NamedTuple

from asyncpg import Record

from gatepost.audit.chain import GENESIS, Row, Seal
from gatepost.db.pool import Connection

# Any fixed number does; another one than that of the migrations.
_LOCK = 0x6761_7465_7365_616C
# Seconds: statements that walk the whole log.
_LONG = 3600.0
_PREFETCH = 1000

_RFC3339 = """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""
_ROW = f"""
a.id, to_char(a.at at time zone 'UTC', {_RFC3339}) as at, a.actor, a.action, a.target, a.reason, abbrev(a.ip) as ip,
a.detail::text as detail, a.written_by::text as written_by
"""
_SEAL = f"""
s.position, s.audit_id, encode(s.hash, 'hex') as hash, s.horizon::text as horizon, s.cluster,
to_char(s.sealed_at at time zone 'UTC', {_RFC3339}) as sealed_at
"""
_HAS_NO_SEAL = "not exists (select from gatepost.audit_seals s where s.audit_id = a.id)"

_NOW = f"""
select pg_snapshot_xmin(pg_current_snapshot())::text as horizon, pg_snapshot_xmax(pg_current_snapshot())::text as next,
       (select system_identifier from pg_control_system()) as cluster,
       to_char(clock_timestamp() at time zone 'UTC', {_RFC3339}) as at
"""  # noqa: S608 - constants
_LAST_SEAL = f"select {_SEAL} from gatepost.audit_seals s order by s.position desc limit 1"  # noqa: S608 - constants
_READY = f"""
select {_ROW} from gatepost.audit_log a
where a.written_by >= $1::text::xid8 and a.written_by < $2::text::xid8 and {_HAS_NO_SEAL}
order by a.written_by, a.id limit $3
"""  # noqa: S608 - constants
_ALL_UNSEALED = f"select {_ROW} from gatepost.audit_log a where {_HAS_NO_SEAL} order by a.id limit $1"  # noqa: S608
_ADD_SEALS = """
insert into gatepost.audit_seals (position, audit_id, hash, horizon, cluster, sealed_at)
select position, audit_id, decode(hash, 'hex'), $4::text::xid8, $5, $6::text::timestamptz
from unnest($1::bigint[], $2::bigint[], $3::text[]) as made (position, audit_id, hash)
"""
_PAIRS = f"""
select {_SEAL}, {_ROW} from gatepost.audit_seals s left join gatepost.audit_log a on a.id = s.audit_id
where s.position > $1 order by s.position
"""  # noqa: S608 - constants
_SLIPPED_IN = f"""
select a.id from gatepost.audit_log a
where (a.written_by < $1::text::xid8 or a.written_by >= $2::text::xid8) and {_HAS_NO_SEAL}
order by a.id limit 1
"""  # noqa: S608 - constants
_FIRST_KEPT = """
select s.position from gatepost.audit_seals s join gatepost.audit_log a on a.id = s.audit_id
where s.position > $1 and a.at >= $2 order by s.position limit 1
"""


class Moment(NamedTuple):
    """What the server's clock and transactions say: the oldest that runs is `horizon`, the next to begin `next`."""

    horizon: int
    next: int
    cluster: int
    at: str


async def lock(connection: Connection) -> None:
    """Be the only one who seals or drops until the transaction ends."""
    await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)


async def now(connection: Connection) -> Moment:
    """Return what time it is. A statement run after it sees all that transactions older than the horizon wrote."""
    row = _one(await connection.fetchrow(_NOW))
    return Moment(int(row["horizon"]), int(row["next"]), row["cluster"], row["at"])


async def last_seal(connection: Connection) -> Seal:
    """Return the last seal, that of the beginning when there is none."""
    row = await connection.fetchrow(_LAST_SEAL)
    return _seal(row) if row else GENESIS


async def ready(connection: Connection, horizon: int, until: int, limit: int) -> list[Row]:
    """Return rows without a seal that the transactions from `horizon` to before `until` wrote, in their order."""
    return [_row(row) for row in await connection.fetch(_READY, str(horizon), str(until), limit, timeout=_LONG)]


async def all_unsealed(connection: Connection, limit: int) -> list[Row]:
    """Return rows without a seal, whoever wrote them."""
    return [_row(row) for row in await connection.fetch(_ALL_UNSEALED, limit, timeout=_LONG)]


async def add_seals(connection: Connection, seals: Sequence[Seal]) -> None:
    """Write the seals of one batch, which share their horizon, server and time."""
    positions, ids = [seal.position for seal in seals], [seal.audit_id for seal in seals]
    shared = seals[0]
    hashes = [seal.hash for seal in seals]
    await connection.execute(_ADD_SEALS, positions, ids, hashes, str(shared.horizon), shared.cluster, shared.sealed_at)


async def start(connection: Connection) -> Seal:
    """Return where the log begins: the last seal of what was dropped, else the beginning."""
    row = await connection.fetchrow(
        "select position, encode(hash, 'hex') as hash from gatepost.audit_drops order by position desc limit 1"
    )
    return GENESIS._replace(position=row["position"], hash=row["hash"]) if row else GENESIS


async def dropped_at(connection: Connection, position: int) -> Seal | None:
    """Return the seal that an earlier drop kept, or None."""
    query = "select encode(hash, 'hex') from gatepost.audit_drops where position = $1"
    found = await connection.fetchval(query, position)
    return GENESIS._replace(position=position, hash=found) if found else None


async def pairs(connection: Connection, after: int) -> AsyncIterator[tuple[Row | None, Seal]]:
    """Stream the seals after a position with their rows (None: it is gone), inside a transaction."""
    async for row in connection.cursor(_PAIRS, after, prefetch=_PREFETCH):
        yield (_row(row) if row["id"] is not None else None), _seal(row)


async def slipped_in(connection: Connection, last: Seal, moment: Moment) -> int | None:
    """Return the first row without a seal that would have one, had it been written when it says."""
    found: int | None = await connection.fetchval(_SLIPPED_IN, str(last.horizon), str(moment.next), timeout=_LONG)
    return found


async def first_kept(connection: Connection, after: int, before: datetime) -> int | None:
    """Return the first position after another one whose row is not older than a moment."""
    found: int | None = await connection.fetchval(_FIRST_KEPT, after, before, timeout=_LONG)
    return found


async def seal_at(connection: Connection, position: int) -> Seal:
    """Return the seal at a position where there is one."""
    query = f"select {_SEAL} from gatepost.audit_seals s where s.position = $1"  # noqa: S608 - constants
    return _seal(_one(await connection.fetchrow(query, position)))


async def add_drop(connection: Connection, seal: Seal, rows: int, before: datetime) -> None:
    """Say that the log begins after a seal from now on, and write that down as an act from the shell."""
    query = "insert into gatepost.audit_drops (position, hash) values ($1, decode($2, 'hex'))"
    await connection.execute(query, seal.position, seal.hash)
    detail = {"position": seal.position, "hash": seal.hash, "rows": rows, "before": before.isoformat()}
    await connection.execute(
        "select gatepost.note_audit('shell', 'audit.dropped', null, null, null, $1)", json.dumps(detail)
    )


async def erase_dropped(connection: Connection, until: int, limit: int) -> int:
    """Delete the first dropped rows with their seals and return how many seals that were; 0: nothing is left."""
    first = await connection.fetchval("select min(position) from gatepost.audit_seals")
    if first is None or first > until:
        return 0
    end = min(until, first + limit - 1)
    # The rows first: what may be deleted is known by its seal.
    await connection.execute(
        """
        delete from gatepost.audit_log a using gatepost.audit_seals s where s.audit_id = a.id and s.position <= $1
        """,
        end,
    )
    return len(await connection.fetch("delete from gatepost.audit_seals where position <= $1 returning true", end))


def _row(row: Record) -> Row:
    return Row(**{name: row[name] for name in Row._fields if name != "written_by"}, written_by=int(row["written_by"]))


def _seal(row: Record) -> Seal:
    return Seal(**{name: row[name] for name in Seal._fields if name != "horizon"}, horizon=int(row["horizon"]))


def _one(row: Record | None) -> Record:
    if row is None:
        raise LookupError
    return row
