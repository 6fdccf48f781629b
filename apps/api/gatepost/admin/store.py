"""Any user's sessions, users and API keys, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any, Literal
from uuid import UUID

from asyncpg import Record

from gatepost import audit
from gatepost.admin.models import AdminUser, ApiKey, CreateApiKey, SessionFilter
from gatepost.audit import Actor
from gatepost.db import Connection

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
_COUNT_MATCHING = f"select count(*) from ({_FILTER}) matching"  # noqa: S608 - constants
_LIST_MATCHING = f"""
select array_agg(id order by id) as ids from ({_FILTER}) matching group by user_id order by user_id
"""  # noqa: S608 - constants


async def revoke_any_session(
    connection: Connection, session_id: UUID, actor: Actor, reason: str | None, *, notify: bool = False
) -> bool:
    """Revoke any user's session and return whether it was active; revoking it again changes nothing.

    With `notify` the user gets an email.

    Raises:
        NotFound: there is no such session.
    """
    query = "select gatepost.revoke_any_session($1, $2, $3, $4, $5)"
    return bool(await connection.fetchval(query, session_id, actor.name, reason, actor.ip, notify))


async def revoke_user_sessions(
    connection: Connection,
    user_id: UUID,
    actor: Actor,
    reason: str | None,
    *,
    idle_timeout: timedelta,
    notify: bool = False,
) -> int:
    """Revoke all sessions of a user and return how many; with `notify` the user gets one email."""
    query = "select gatepost.revoke_user_sessions($1, $2, $3, $4, $5, $6)"
    revoked: int = await connection.fetchval(query, user_id, actor.name, reason, actor.ip, idle_timeout, notify)
    return revoked


async def count_matching(connection: Connection, wanted: SessionFilter, *, idle_timeout: timedelta) -> int:
    """Return how many active sessions match a filter."""
    counted: int = await connection.fetchval(_COUNT_MATCHING, *_arguments(wanted, idle_timeout))
    return counted


async def list_matching(connection: Connection, wanted: SessionFilter, *, idle_timeout: timedelta) -> list[list[UUID]]:
    """Return the ids of the active sessions that match a filter, one list per user."""
    return [row["ids"] for row in await connection.fetch(_LIST_MATCHING, *_arguments(wanted, idle_timeout))]


async def revoke_listed(
    connection: Connection, session_ids: Sequence[UUID], actor: Actor, reason: str, *, notify: bool
) -> int:
    """Revoke those of the listed sessions that are active and return how many.

    With `notify` each user gets one email; if another transaction has locked some of a user's sessions, all of that
    user's sessions are left for later.
    """
    query = "select gatepost.revoke_listed_sessions($1, $2, $3, $4, $5)"
    revoked: int = await connection.fetchval(query, list(session_ids), actor.name, reason, actor.ip, notify)
    return revoked


async def still_active(connection: Connection, session_ids: Sequence[UUID]) -> set[UUID]:
    """Return those of the listed sessions that have not ended."""
    query = "select id from gatepost.sessions where id = any ($1) and ended_at is null"
    return {row["id"] for row in await connection.fetch(query, list(session_ids))}


UserAction = Literal["disable", "enable", "delete"]
_USER_ACTIONS: dict[UserAction, str] = {
    "disable": "select gatepost.disable_user($1, $2, $3, $4, $5)",
    "enable": "select gatepost.enable_user($1, $2, $3, $4)",
    "delete": "select gatepost.delete_user($1, $2, $3, $4, $5)",
}


async def act_on_user(
    connection: Connection,
    action: UserAction,
    user_id: UUID,
    actor: Actor,
    reason: str | None,
    *,
    idle_timeout: timedelta,
) -> int:
    """Disable, enable or delete a user and return how many sessions that revoked.

    Raises:
        NotFound: there is no such user.
    """
    idle = [] if action == "enable" else [idle_timeout]
    return await connection.fetchval(_USER_ACTIONS[action], user_id, actor.name, reason, actor.ip, *idle) or 0


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


async def read_user(connection: Connection, user_id: UUID, *, idle_timeout: timedelta) -> AdminUser | None:
    """Return a user, or None."""
    row = await connection.fetchrow(_READ_USER, idle_timeout, user_id)
    return AdminUser(**row) if row else None


async def list_users(
    connection: Connection, q: str | None, after: tuple[str, UUID] | None, limit: int, *, idle_timeout: timedelta
) -> list[AdminUser]:
    """Return users sorted by email address, those whose email address or name begins with `q`."""
    prefix = q.lower() if q else None
    key, last = after or ("", UUID(int=0))
    rows = await connection.fetch(_LIST_USERS, idle_timeout, key, last, prefix, (prefix or "") + "\U0010ffff", limit)
    return [AdminUser(**row) for row in rows]


async def create_api_key(
    connection: Connection, form: CreateApiKey, prefix: str, secret_hash: bytes, actor: Actor
) -> ApiKey:
    """Create an API key, which its creator owns, and return it. One made on the command line has no owner."""
    row = await connection.fetchrow(
        """
        with created as (
          insert into gatepost.api_keys (name, prefix, secret_hash, scopes, created_by, owner_id, expires_at)
          values ($1, $2, $3, $4, $5, $6, $7) returning *
        )
        select k.*, u.email as owner_email from created k left join gatepost.users u on u.id = k.owner_id
        """,
        form.name,
        prefix,
        secret_hash,
        sorted(set(form.scopes)),
        actor.name,
        actor.user_id,
        form.expires_at,
    )
    key = _api_key(row)
    await audit.record(connection, actor, "key.created", f"key:{key.id}", detail={"scopes": key.scopes})
    return key


async def list_api_keys(connection: Connection, before: datetime | None, last: UUID | None, limit: int) -> list[ApiKey]:
    """Return API keys, newest first, those before a time and an id."""
    rows = await connection.fetch(
        """
        select k.*, u.email as owner_email from gatepost.api_keys k left join gatepost.users u on u.id = k.owner_id
        where $1::timestamptz is null or (k.created_at, k.id) < ($1, $2::uuid)
        order by k.created_at desc, k.id desc limit $3
        """,
        before,
        last,
        limit,
    )
    return [_api_key(row) for row in rows]


async def revoke_api_key(connection: Connection, key_id: UUID, actor: Actor) -> bool:
    """Revoke an API key; False if there is none. Revoking it again changes nothing."""
    query = "update gatepost.api_keys set revoked_at = now() where id = $1 and revoked_at is null returning true"
    if await connection.fetchval(query, key_id):
        await audit.record(connection, actor, "key.revoked", f"key:{key_id}")
        return True
    return bool(await connection.fetchval("select true from gatepost.api_keys where id = $1", key_id))


async def take_over_api_key(connection: Connection, key_id: UUID, user_id: UUID, actor: Actor) -> ApiKey:
    """Make an admin the owner of an API key, which works again if it was suspended. Return the key.

    Raises:
        NotFound: there is no such key.
        Conflict: the key was revoked, or the user is not an enabled admin.
    """
    await connection.execute("select gatepost.take_over_api_key($1, $2, $3, $4)", key_id, user_id, actor.name, actor.ip)
    query = """
        select k.*, u.email as owner_email from gatepost.api_keys k left join gatepost.users u on u.id = k.owner_id
        where k.id = $1
    """
    return _api_key(await connection.fetchrow(query, key_id))


def _api_key(row: Record | None) -> ApiKey:
    if row is None:
        raise LookupError
    return ApiKey(**{name: row[name] for name in ApiKey.model_fields})


def _arguments(wanted: SessionFilter, idle_timeout: timedelta) -> list[Any]:
    network = ip_network(str(wanted.network)) if wanted.network else None
    return [
        idle_timeout,
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
