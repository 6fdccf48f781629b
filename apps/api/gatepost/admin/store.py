"""What staff do, in SQL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any, Literal
from uuid import UUID

from asyncpg import Record

from gatepost.admin.models import AuditRow, SessionFilter, User
from gatepost.db.pool import Connection
from gatepost.http.client_ip import Address
from gatepost.settings import Settings

_FILTER = """
select s.id, s.user_id from gatepost.sessions s
where s.ended_at is null and gatepost.session_end_reason(s, $1) is null
  and ($2::inet is null or (s.ip >= $2 and s.ip <= $3))
  and ($4::text is null or s.browser = $4)
  and ($5::text is null or s.os = $5)
  and ($6::text is null or s.device_kind = $6)
  and ($7::timestamptz is null or s.created_at < $7)
  and ($8::timestamptz is null or s.created_at > $8)
  and ($9::timestamptz is null or (s.last_active_at < $9 and s.last_active_on <= ($9 at time zone 'UTC')::date))
  and ($10::uuid[] is null or s.user_id = any ($10))
"""
_COUNT_FITTING = f"select count(*) from ({_FILTER}) fitting"  # noqa: S608 - constants
_LIST_FITTING = f"""
select array_agg(id order by id) as ids from ({_FILTER}) fitting group by user_id order by user_id
"""  # noqa: S608 - constants


async def is_admin(connection: Connection, user_id: UUID) -> bool:
    """Tell whether a person is an admin now, and not disabled."""
    query = "select role = 'admin' and disabled_at is null from gatepost.users where id = $1"
    return bool(await connection.fetchval(query, user_id))


async def revoke_any_session(
    connection: Connection,
    session_id: UUID,
    actor: str,
    reason: str | None,
    ip: Address | None,
    *,
    notify: bool = False,
) -> bool:
    """End anybody's session and tell whether it had not ended before; ending it again changes nothing.

    With `notify` the person is told by mail.

    Raises:
        NotFound: there is no such session.
    """
    query = "select gatepost.revoke_any_session($1, $2, $3, $4, $5)"
    return bool(await connection.fetchval(query, session_id, actor, reason, ip, notify))


async def revoke_user_sessions(
    connection: Connection,
    settings: Settings,
    user_id: UUID,
    actor: str,
    reason: str | None,
    ip: Address | None,
    *,
    notify: bool = False,
) -> int:
    """End all sessions of a person and return how many that were; with `notify` they are told by one mail."""
    query = "select gatepost.revoke_user_sessions($1, $2, $3, $4, $5, $6)"
    revoked: int = await connection.fetchval(query, user_id, actor, reason, ip, settings.idle_timeout, notify)
    return revoked


async def count_fitting(connection: Connection, settings: Settings, wanted: SessionFilter) -> int:
    """Return how many active sessions fit a filter."""
    counted: int = await connection.fetchval(_COUNT_FITTING, *_arguments(settings, wanted))
    return counted


async def list_fitting(connection: Connection, settings: Settings, wanted: SessionFilter) -> list[list[UUID]]:
    """Return the ids of the active sessions that fit a filter, a list for each person."""
    return [row["ids"] for row in await connection.fetch(_LIST_FITTING, *_arguments(settings, wanted))]


async def revoke_listed(
    connection: Connection,
    session_ids: Sequence[UUID],
    actor: str,
    reason: str,
    ip: Address | None,
    *,
    notify: bool,
) -> int:
    """End those of the listed sessions that are still active and return how many that were.

    With `notify` each person is told by one mail; whose sessions somebody else holds in part keeps them all for now.
    """
    query = "select gatepost.revoke_listed_sessions($1, $2, $3, $4, $5)"
    revoked: int = await connection.fetchval(query, list(session_ids), actor, reason, ip, notify)
    return revoked


async def still_active(connection: Connection, session_ids: Sequence[UUID]) -> set[UUID]:
    """Return those of the listed sessions that have not ended."""
    query = "select id from gatepost.sessions where id = any ($1) and ended_at is null"
    return {row["id"] for row in await connection.fetch(query, list(session_ids))}


UserAct = Literal["disable", "enable", "delete"]
_USER_ACTS: dict[UserAct, str] = {
    "disable": "select gatepost.disable_user($1, $2, $3, $4, $5)",
    "enable": "select gatepost.enable_user($1, $2, $3, $4)",
    "delete": "select gatepost.delete_user($1, $2, $3, $4, $5)",
}


async def act_on_user(
    connection: Connection,
    settings: Settings,
    act: UserAct,
    user_id: UUID,
    actor: str,
    reason: str | None,
    ip: Address | None,
) -> int:
    """Disable, enable or delete a person and return how many sessions that ended.

    Raises:
        NotFound: there is no such person.
    """
    idle = [] if act == "enable" else [settings.idle_timeout]
    return await connection.fetchval(_USER_ACTS[act], user_id, actor, reason, ip, *idle) or 0


_USER = """
select u.id, u.email, u.name, u.role, u.created_at, u.disabled_at,
       (select count(*) from gatepost.sessions s
        where s.user_id = u.id and s.ended_at is null and gatepost.session_end_reason(s, $1) is null) as active_sessions
from gatepost.users u
"""
_READ_USER = _USER + "where u.id = $2"
_LIST_USERS = (
    _USER
    + """
where (lower(u.email) collate "C", u.id) > ($2, $3)
  and ($4::text is null or (lower(u.email) collate "C" >= $4 and lower(u.email) collate "C" <= $5)
       or (lower(u.name) collate "C" >= $4 and lower(u.name) collate "C" <= $5))
order by lower(u.email) collate "C", u.id
limit $6
"""
)


async def read_user(connection: Connection, settings: Settings, user_id: UUID) -> User | None:
    """Return a person, or None."""
    row = await connection.fetchrow(_READ_USER, settings.idle_timeout, user_id)
    return User(**row) if row else None


async def list_users(
    connection: Connection, settings: Settings, q: str | None, after: tuple[str, UUID] | None, limit: int
) -> list[User]:
    """Return people by the order of their addresses, those whose address or name begins with `q`."""
    prefix = q.lower() if q else None
    key, last = after or ("", UUID(int=0))
    rows = await connection.fetch(
        _LIST_USERS, settings.idle_timeout, key, last, prefix, (prefix or "") + "\U0010ffff", limit
    )
    return [User(**row) for row in rows]


async def note(
    connection: Connection,
    actor: str,
    action: str,
    target: str | None,
    reason: str | None,
    ip: Address | None,
    detail: dict[str, Any],
) -> None:
    """Write an audit row in the transaction at hand."""
    query = "select gatepost.note_audit($1, $2, $3, $4, $5, $6)"
    await connection.execute(query, actor, action, target, reason, ip, json.dumps(detail))


async def list_audit(
    connection: Connection, actor: str | None, action: str | None, target: str | None, before: int | None, limit: int
) -> list[AuditRow]:
    """Return audit rows, the newest first."""
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
    return [audit_row(row) for row in rows]


def audit_row(row: Record) -> AuditRow:
    """Return the model of a row of `gatepost.audit_log`."""
    return AuditRow(
        id=row["id"],
        at=row["at"],
        actor=row["actor"],
        action=row["action"],
        target=row["target"],
        reason=row["reason"],
        ip=str(row["ip"]) if row["ip"] is not None else None,
        detail=json.loads(row["detail"]),
    )


def _arguments(settings: Settings, wanted: SessionFilter) -> list[Any]:
    network = ip_network(str(wanted.network)) if wanted.network else None
    return [
        settings.idle_timeout,
        network.network_address if network else None,
        network.broadcast_address if network else None,
        wanted.browser,
        wanted.os,
        wanted.kind,
        wanted.signed_in_before,
        wanted.signed_in_after,
        wanted.inactive_since,
        wanted.user_ids,
    ]
