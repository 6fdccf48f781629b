"""Sessions in SQL: SQL in, models out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from asyncpg import Record

from gatepost.db import Connection, Database, Reader
from gatepost.sessions.models import Device, EndReason, RefreshOutcome, Session
from gatepost.types import IPAddress

SortKey = tuple[int, int, UUID]

# Without the columns that the guard does not use, and with the IP address as text: each request decodes them.
READ_SESSION = """
select s.id, s.user_id, s.name, s.device_kind, s.browser, s.os, host(s.ip) as ip, s.created_at, s.authenticated_at,
       s.last_active_at, s.expires_at, s.ended_at, gatepost.session_end_reason(s, $2) as state,
       s.last_active_at <= now() - $3::interval as is_due
from gatepost.sessions s
where s.id = $1
"""

_LIST = """
select s.*, sorted.*
from (
  select s.*, gatepost.session_end_reason(s, $3) as state from gatepost.sessions s where s.user_id = $1
) s
cross join lateral (
  select case when s.id = $2 then 0 when s.state is null then 1 else 2 end as rank,
         -(extract(epoch from coalesce(s.ended_at, s.last_active_at)) * 1000000)::bigint as key
) sorted
where (s.state is null or $4)
  and ($5::integer is null or (sorted.rank, sorted.key, s.id) > ($5, $6::bigint, $7::uuid))
order by sorted.rank, sorted.key, s.id
limit $8
"""


@dataclass(frozen=True)
class Refreshed:
    """The outcome of a refresh; `successor` is the token's encrypted successor if it was replayed."""

    outcome: RefreshOutcome
    successor: bytes | None
    session: Session


async def open_session(
    connection: Connection,
    *,
    session_id: UUID,
    user_id: UUID,
    token_hash: bytes,
    name: str | None,
    device: Device,
    ip: IPAddress | None,
    lifetime: timedelta,
    idle_timeout: timedelta,
    max_sessions: int,
    replaced_id: UUID | None,
    known_device: bool,
) -> tuple[Session, list[Session]]:
    """Open a session and return it, with those that were evicted to keep the user at the cap.

    The session that it replaces, if any, is signed out. If the device is new to the user, a notification is queued.
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
        lifetime,
        idle_timeout,
        max_sessions,
        replaced_id,
        known_device,
    )
    opened, *evicted = (Session.from_row(row, idle_timeout=idle_timeout, current_id=session_id) for row in rows)
    return opened, evicted


async def read_session(
    reader: Reader, session_id: UUID, *, idle_timeout: timedelta, activity_interval: timedelta
) -> Record | None:
    """Return a session's row with `state` (its current end reason) and `is_due` (its activity should be recorded)."""
    return await reader.fetchrow(READ_SESSION, session_id, idle_timeout, activity_interval)


async def touch_session(
    database: Database, session_id: UUID, ip: IPAddress | None, *, activity_interval: timedelta
) -> None:
    """Record that a session is in use, at most once per activity interval."""
    await database.execute("select gatepost.touch_session($1, $2, $3)", session_id, ip, activity_interval)


async def expire_session(database: Database, session_id: UUID, *, idle_timeout: timedelta) -> None:
    """Record the end of a session that has expired or been idle for too long."""
    await database.execute("select gatepost.expire_session($1, $2)", session_id, idle_timeout)


async def list_sessions(
    connection: Connection,
    *,
    user_id: UUID,
    current_id: UUID,
    include_ended: bool,
    after: SortKey | None,
    limit: int,
    idle_timeout: timedelta,
) -> tuple[list[Session], SortKey | None]:
    """Return a page of a user's sessions, the current one first, then by last activity; and the next page's key."""
    rank, key, identifier = after or (None, None, None)
    rows = await connection.fetch(
        _LIST, user_id, current_id, idle_timeout, include_ended, rank, key, identifier, limit + 1
    )
    page = rows[:limit]
    sessions = [Session.from_row(row, idle_timeout=idle_timeout, current_id=current_id) for row in page]
    more = (page[-1]["rank"], page[-1]["key"], page[-1]["id"]) if len(rows) > limit else None
    return sessions, more


async def rename_session(
    connection: Connection,
    *,
    user_id: UUID,
    session_id: UUID,
    name: str | None,
    current_id: UUID,
    idle_timeout: timedelta,
) -> Session | None:
    """Name a user's active session (None: the device's default name) and return it, or None if there is no such one."""
    row = await connection.fetchrow(
        """
        update gatepost.sessions s set name = $3
        where s.id = $1 and s.user_id = $2 and gatepost.session_end_reason(s, $4) is null
        returning s.*, gatepost.session_end_reason(s, $4) as state
        """,
        session_id,
        user_id,
        name,
        idle_timeout,
    )
    return Session.from_row(row, idle_timeout=idle_timeout, current_id=current_id) if row else None


async def revoke_session(
    connection: Connection,
    *,
    user_id: UUID,
    session_id: UUID,
    ended_by: UUID | None,
    reason: EndReason,
    idle_timeout: timedelta,
) -> bool:
    """Revoke a user's session and return whether it was active; revoking it again changes nothing.

    Raises:
        NotFound: the user has no such session.
    """
    query = "select gatepost.revoke_session($1, $2, $3, $4, $5)"
    await connection.execute(query, user_id, session_id, ended_by, reason, idle_timeout)
    # Revoked by this very transaction, and not lapsed before.
    by_us = "select xmin = pg_current_xact_id()::xid and end_reason = $2 from gatepost.sessions where id = $1"
    return bool(await connection.fetchval(by_us, session_id, reason))


async def revoke_other_sessions(
    connection: Connection, *, user_id: UUID, kept_id: UUID | None, reason: EndReason, idle_timeout: timedelta
) -> int:
    """Revoke all of a user's sessions except one (None: all of them) and return how many."""
    revoked = await connection.fetchval(
        "select gatepost.revoke_other_sessions($1, $2, $1, $3, $4)", user_id, kept_id, reason, idle_timeout
    )
    return cast(int, revoked)


async def reauthenticate_session(connection: Connection, session_id: UUID) -> None:
    """Record that the user has just entered their password."""
    query = "update gatepost.sessions set authenticated_at = now() where id = $1 and ended_at is null"
    await connection.execute(query, session_id)


async def refresh_session(
    connection: Connection,
    *,
    session_id: UUID,
    token_hash: bytes,
    successor_hash: bytes,
    successor_encrypted: bytes,
    ip: IPAddress | None,
    grace: timedelta,
    idle_timeout: timedelta,
) -> Refreshed | None:
    """Exchange a refresh token for its successor; None if there is no such session.

    The caller commits whatever the outcome: reuse revokes the session.
    """
    row = await connection.fetchrow(
        """
        select r.outcome, r.successor_encrypted, (r.session).*, gatepost.session_end_reason(r.session, $7) as state
        from gatepost.refresh_session($1, $2, $3, $4, $5, $6, $7) r
        """,
        session_id,
        token_hash,
        successor_hash,
        successor_encrypted,
        ip,
        grace,
        idle_timeout,
    )
    if row is None or row["id"] is None:
        return None
    session = Session.from_row(row, idle_timeout=idle_timeout, current_id=session_id)
    return Refreshed(row["outcome"], row["successor_encrypted"], session)


async def erase_successors(database: Database, *, grace: timedelta) -> None:
    """Erase encrypted refresh tokens whose grace period is over."""
    await database.execute(
        """
        update gatepost.refresh_tokens t set previous_hash = null, successor_encrypted = null
        from (
          select d.session_id from gatepost.refresh_tokens d
          where d.successor_encrypted is not null and d.rotated_at < now() - $1::interval
          for update skip locked
        ) due
        where t.session_id = due.session_id
        """,
        grace,
    )


async def list_ended(
    connection: Connection, session_ids: list[UUID], since: datetime | None, *, idle_timeout: timedelta
) -> tuple[datetime, list[Session]]:
    """Return the database's time, and ended sessions by id or since a time, in the order of their ends.

    A minute before `since` counts too: what ended then may have been committed after it.
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
    ended = [Session.from_row(row, idle_timeout=idle_timeout) for row in rows]
    now: datetime = await connection.fetchval("select clock_timestamp()")
    return now, ended


async def sign_out_session(connection: Connection, session_id: UUID) -> bool:
    """End a session on behalf of the holder of its token; return whether it was active."""
    ended = await connection.fetchval(
        """
        update gatepost.sessions set ended_at = clock_timestamp(), end_reason = 'signed_out', ended_by = user_id
        where id = $1 and ended_at is null
        returning true
        """,
        session_id,
    )
    return bool(ended)
