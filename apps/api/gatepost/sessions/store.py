"""Sessions in SQL: SQL in, models out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast
from uuid import UUID

from asyncpg import Record

from gatepost.db.pool import Connection, Database, Reader
from gatepost.geoip import Places
from gatepost.http.client_ip import Address
from gatepost.sessions.models import Device, EndReason, Session
from gatepost.sessions.policy import REFRESH_GRACE
from gatepost.settings import Settings

RefreshOutcome = Literal["rotated", "replayed", "reused", "ended", "unknown"]

_READ = """
select s.*, gatepost.session_end_reason(s, $2) as state, s.last_active_at <= now() - $3::interval as is_due
from gatepost.sessions s
where s.id = $1
"""

_LIST = """
select s.*, place.*
from (
  select s.*, gatepost.session_end_reason(s, $3) as state from gatepost.sessions s where s.user_id = $1
) s
cross join lateral (
  select case when s.id = $2 then 0 when s.state is null then 1 else 2 end as rank,
         -(extract(epoch from coalesce(s.ended_at, s.last_active_at)) * 1000000)::bigint as key
) place
where (s.state is null or $4)
  and ($5::integer is null or (place.rank, place.key, s.id) > ($5, $6::bigint, $7::uuid))
order by place.rank, place.key, s.id
limit $8
"""


@dataclass(frozen=True)
class Refreshed:
    """What became of a refresh: `sealed` is the successor's seal, `session` the session it was for."""

    outcome: RefreshOutcome
    sealed: bytes | None
    session: Session | None


async def open_session(
    connection: Connection,
    settings: Settings,
    places: Places,
    *,
    session_id: UUID,
    user_id: UUID,
    token_hash: bytes,
    name: str | None,
    device: Device,
    ip: Address | None,
    replaced_id: UUID | None = None,
    known_device: bool = False,
) -> tuple[Session, list[Session]]:
    """Open a session and return it, with those that were evicted to keep the person's number at the cap.

    The session that it replaces, if any, is signed out. A device that is new to the person is told by mail.
    """
    rows = await connection.fetch(
        """
        select s.*, s.end_reason as state
        from gatepost.open_session($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) s
        """,
        session_id,
        user_id,
        token_hash,
        name,
        device.kind,
        device.browser,
        device.os,
        ip,
        settings.session_lifetime,
        settings.idle_timeout,
        settings.max_sessions,
        replaced_id,
        known_device,
    )
    opened, *evicted = (
        Session.from_row(row, idle_timeout=settings.idle_timeout, places=places, current_id=session_id) for row in rows
    )
    return opened, evicted


async def read_session(reader: Reader, settings: Settings, session_id: UUID) -> Record | None:
    """Return a session's row with `state` (its end reason as of now) and `is_due` (its activity is to be noted)."""
    return await reader.fetchrow(_READ, session_id, settings.idle_timeout, settings.activity_interval)


async def touch_session(database: Database, settings: Settings, session_id: UUID, ip: Address | None) -> None:
    """Note that a session is in use, at most once an activity interval."""
    await database.execute("select gatepost.touch_session($1, $2, $3)", session_id, ip, settings.activity_interval)


async def end_lapsed_session(database: Database, settings: Settings, session_id: UUID) -> None:
    """Write down the end of a session whose time has run out."""
    await database.execute("select gatepost.end_lapsed_session($1, $2)", session_id, settings.idle_timeout)


async def list_sessions(
    connection: Connection,
    settings: Settings,
    places: Places,
    *,
    user_id: UUID,
    current_id: UUID,
    include_ended: bool,
    after: tuple[int, int, UUID] | None,
    limit: int,
) -> tuple[list[Session], tuple[int, int, UUID] | None]:
    """Return a page of a person's sessions and the place of the next: the current first, then by last activity."""
    rank, key, identifier = after or (None, None, None)
    rows = await connection.fetch(
        _LIST, user_id, current_id, settings.idle_timeout, include_ended, rank, key, identifier, limit + 1
    )
    page = rows[:limit]
    sessions = [
        Session.from_row(row, idle_timeout=settings.idle_timeout, places=places, current_id=current_id) for row in page
    ]
    more = (page[-1]["rank"], page[-1]["key"], page[-1]["id"]) if len(rows) > limit else None
    return sessions, more


async def rename_session(
    connection: Connection,
    settings: Settings,
    places: Places,
    *,
    user_id: UUID,
    session_id: UUID,
    name: str | None,
    current_id: UUID,
) -> Session | None:
    """Give a person's active session a name (None: the device's own) and return it, or None if there is no such one."""
    row = await connection.fetchrow(
        """
        update gatepost.sessions s set name = $3
        where s.id = $1 and s.user_id = $2 and gatepost.session_end_reason(s, $4) is null
        returning s.*, gatepost.session_end_reason(s, $4) as state
        """,
        session_id,
        user_id,
        name,
        settings.idle_timeout,
    )
    return (
        Session.from_row(row, idle_timeout=settings.idle_timeout, places=places, current_id=current_id) if row else None
    )


async def revoke_session(
    connection: Connection,
    settings: Settings,
    *,
    user_id: UUID,
    session_id: UUID,
    ended_by: UUID | None,
    reason: EndReason,
) -> bool:
    """End a person's session and tell whether it had not ended before; ending it again changes nothing.

    Raises:
        NotFound: the person has no such session.
    """
    query = "select gatepost.revoke_session($1, $2, $3, $4, $5)"
    await connection.execute(query, user_id, session_id, ended_by, reason, settings.idle_timeout)
    # Written by this very transaction, and not because its time had run out.
    by_us = "select xmin = pg_current_xact_id()::xid and end_reason = $2 from gatepost.sessions where id = $1"
    return bool(await connection.fetchval(by_us, session_id, reason))


async def revoke_other_sessions(
    connection: Connection, settings: Settings, *, user_id: UUID, kept_id: UUID, reason: EndReason
) -> int:
    """End all of a person's sessions but one and return how many that were."""
    revoked = await connection.fetchval(
        "select gatepost.revoke_other_sessions($1, $2, $1, $3, $4)", user_id, kept_id, reason, settings.idle_timeout
    )
    return cast(int, revoked)


async def disown_session(connection: Connection, user_id: UUID, session_id: UUID, ip: Address | None) -> int:
    """End every session of a person who did not open one of them, and make their password useless; say how many."""
    query = "select gatepost.disown_session($1, $2, $3)"
    return cast(int, await connection.fetchval(query, user_id, session_id, ip))


async def revoke_all_sessions(connection: Connection, settings: Settings, *, user_id: UUID, reason: EndReason) -> int:
    """End all of a person's sessions and return how many that were."""
    query = "select gatepost.revoke_other_sessions($1, null, $1, $2, $3)"
    return cast(int, await connection.fetchval(query, user_id, reason, settings.idle_timeout))


async def reauthenticate_session(connection: Connection, session_id: UUID) -> None:
    """Note that the person has just shown their password."""
    query = "update gatepost.sessions set authenticated_at = now() where id = $1 and ended_at is null"
    await connection.execute(query, session_id)


async def refresh_session(
    connection: Connection,
    settings: Settings,
    places: Places,
    *,
    session_id: UUID,
    token_hash: bytes,
    successor_hash: bytes,
    successor_sealed: bytes,
    ip: Address | None,
) -> Refreshed:
    """Exchange a refresh token for its successor. The caller commits whatever the outcome: reuse ends the session."""
    row = await connection.fetchrow(
        """
        select r.outcome, r.successor_sealed, (r.session).*, gatepost.session_end_reason(r.session, $7) as state
        from gatepost.refresh_session($1, $2, $3, $4, $5, $6, $7) r
        """,
        session_id,
        token_hash,
        successor_hash,
        successor_sealed,
        ip,
        REFRESH_GRACE,
        settings.idle_timeout,
    )
    if row is None or row["id"] is None:
        return Refreshed("unknown", None, None)
    session = Session.from_row(row, idle_timeout=settings.idle_timeout, places=places, current_id=session_id)
    return Refreshed(row["outcome"], row["successor_sealed"], session)


async def erase_successors(database: Database) -> None:
    """Erase sealed refresh tokens whose grace is over."""
    await database.execute(
        """
        update gatepost.refresh_tokens set previous_hash = null, successor_sealed = null
        where successor_sealed is not null and rotated_at < now() - $1::interval
        """,
        REFRESH_GRACE,
    )


async def list_ended(
    connection: Connection, settings: Settings, places: Places, session_ids: list[UUID], since: datetime | None
) -> tuple[datetime, list[Session]]:
    """Return the database's time, and sessions that have ended, by id or since a moment, in the order of their ends.

    A minute before the moment counts too: what ended then may have been committed after it.
    """
    rows = await connection.fetch(
        """
        select s.*, s.end_reason as state from gatepost.sessions s
        where s.ended_at is not null and (s.id = any ($1) or s.ended_at > $2::timestamptz - interval '1 minute')
        order by s.ended_at
        """,
        session_ids,
        since,
    )
    ended = [Session.from_row(row, idle_timeout=settings.idle_timeout, places=places, current_id=None) for row in rows]
    now: datetime = await connection.fetchval("select clock_timestamp()")
    return now, ended


async def sign_out_session(connection: Connection, session_id: UUID) -> bool:
    """End a session at the wish of whoever holds its token; False when there is none that has not ended."""
    ended = await connection.fetchval(
        """
        update gatepost.sessions set ended_at = clock_timestamp(), end_reason = 'signed_out', ended_by = user_id
        where id = $1 and ended_at is null
        returning true
        """,
        session_id,
    )
    return bool(ended)
