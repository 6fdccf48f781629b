"""API keys, in SQL."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from asyncpg import Record

from gatepost.admin import store
from gatepost.admin.models import ApiKey, CreateApiKey
from gatepost.db.pool import Connection
from gatepost.http.client_ip import Address

_KEY_USE_NOTED = "1 minute"


async def create_key(
    connection: Connection, form: CreateApiKey, prefix: str, secret_hash: bytes, actor: str, ip: Address | None
) -> ApiKey:
    """Add an API key and return it."""
    row = await connection.fetchrow(
        """
        insert into gatepost.api_keys (name, prefix, secret_hash, scopes, created_by, expires_at)
        values ($1, $2, $3, $4, $5, $6) returning *
        """,
        form.name,
        prefix,
        secret_hash,
        sorted(set(form.scopes)),
        actor,
        form.expires_at,
    )
    key = _key(row)
    await store.note(connection, actor, "key.created", f"key:{key.id}", None, ip, {"scopes": key.scopes})
    return key


async def use_key(connection: Connection, prefix: str, secret_hash: bytes) -> tuple[UUID, list[str]] | None:
    """Return the id and scopes of a key that is good now, and note its use at most once a minute."""
    row = await connection.fetchrow(
        """
        select id, scopes, last_used_at is null or last_used_at < now() - $3::text::interval as is_due
        from gatepost.api_keys
        where prefix = $1 and secret_hash = $2 and revoked_at is null and (expires_at is null or expires_at > now())
        """,
        prefix,
        secret_hash,
        _KEY_USE_NOTED,
    )
    if row is None:
        return None
    if row["is_due"]:
        await connection.execute("update gatepost.api_keys set last_used_at = now() where id = $1", row["id"])
    return row["id"], row["scopes"]


async def list_keys(connection: Connection, before: datetime | None, last: UUID | None, limit: int) -> list[ApiKey]:
    """Return the API keys, the newest first, those before a moment and an id."""
    rows = await connection.fetch(
        """
        select * from gatepost.api_keys
        where $1::timestamptz is null or (created_at, id) < ($1, $2::uuid)
        order by created_at desc, id desc limit $3
        """,
        before,
        last,
        limit,
    )
    return [_key(row) for row in rows]


async def revoke_key(connection: Connection, key_id: UUID, actor: str, ip: Address | None) -> bool:
    """Revoke an API key; False when there is none. Revoking it again changes nothing."""
    query = "update gatepost.api_keys set revoked_at = now() where id = $1 and revoked_at is null returning true"
    if await connection.fetchval(query, key_id):
        await store.note(connection, actor, "key.revoked", f"key:{key_id}", None, ip, {})
        return True
    return bool(await connection.fetchval("select true from gatepost.api_keys where id = $1", key_id))


def _key(row: Record | None) -> ApiKey:
    if row is None:
        raise LookupError
    return ApiKey(**{name: row[name] for name in ApiKey.model_fields})
