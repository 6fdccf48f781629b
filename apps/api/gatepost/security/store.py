"""Signing keys and the use of API keys, in SQL."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from asyncpg import Record

from gatepost.db import Connection, Database
from gatepost.security.api_keys import Scope

_LAST_USED_INTERVAL = "1 minute"


async def list_signing_keys(connection: Connection) -> list[Record]:
    """Return the signing keys that are not retired, the one that signs last first.

    With each the seconds until it signs (negative: it does), and until it is retired (None: never).
    """
    query = """
        select kid, private_key_encrypted,
               extract(epoch from signs_at - clock_timestamp())::float8 as signs_in,
               extract(epoch from retired_at - clock_timestamp())::float8 as retired_in
        from gatepost.signing_keys
        where retired_at is null or retired_at > clock_timestamp()
        order by signs_at desc, created_at desc
    """
    return await connection.fetch(query)


async def rotate_signing_key(
    connection: Connection,
    kid: str,
    public_jwk: dict[str, Any],
    private_key_encrypted: bytes,
    *,
    lead: timedelta,
    overlap: timedelta,
) -> None:
    """Add a key that signs after `lead`, and retire all others `overlap` after that."""
    query = "select gatepost.rotate_signing_key($1, $2, $3, $4, $5)"
    await connection.execute(query, kid, json.dumps(public_jwk), private_key_encrypted, lead, overlap)


async def update_encrypted_keys(connection: Connection, keys: Mapping[str, bytes]) -> None:
    """Replace the encrypted private parts of signing keys, by id."""
    query = "update gatepost.signing_keys set private_key_encrypted = $2 where kid = $1"
    await connection.executemany(query, list(keys.items()))


async def create_first_signing_key(
    connection: Connection, kid: str, public_jwk: dict[str, Any], private_key_encrypted: bytes
) -> list[Record]:
    """Create a signing key unless another process was first, and return those that exist."""
    await connection.execute("lock table gatepost.signing_keys in share row exclusive mode")
    if keys := await list_signing_keys(connection):
        return keys
    await connection.execute(
        "insert into gatepost.signing_keys (kid, public_jwk, private_key_encrypted) values ($1, $2, $3)",
        kid,
        json.dumps(public_jwk),
        private_key_encrypted,
    )
    return await list_signing_keys(connection)


async def use_api_key(connection: Connection, prefix: str, secret_hash: bytes) -> tuple[UUID, list[Scope]] | None:
    """Return the id and scopes of an API key that is valid now, and record its use at most once a minute.

    A key works only while its owner is an enabled admin (OWASP ASVS 5.0, 7.4.2 and 8.3.2).
    """
    row = await connection.fetchrow(
        """
        select k.id, k.scopes, k.last_used_at is null or k.last_used_at < now() - $3::text::interval as is_due
        from gatepost.api_keys k
        left join gatepost.users u on u.id = k.owner_id
        where k.prefix = $1 and k.secret_hash = $2 and k.revoked_at is null and k.suspended_at is null
          and (k.expires_at is null or k.expires_at > now())
          and (k.owner_id is null or u.role = 'admin' and u.disabled_at is null)
        """,
        prefix,
        secret_hash,
        _LAST_USED_INTERVAL,
    )
    if row is None:
        return None
    if row["is_due"]:
        await connection.execute("update gatepost.api_keys set last_used_at = now() where id = $1", row["id"])
    return row["id"], row["scopes"]


async def count_attempt(connection: Connection, buckets: Sequence[tuple[bytes, int, int]]) -> float:
    """Count an attempt in buckets (key, amount, seconds) and return 0, or return the seconds until one is allowed."""
    keys, amounts, seconds = zip(*buckets, strict=True)
    wait: float = await connection.fetchval("select gatepost.count_attempt($1, $2, $3)", keys, amounts, seconds)
    return wait


async def clear_attempts(connection: Connection, keys: Sequence[bytes]) -> None:
    """Empty buckets."""
    await connection.execute("select gatepost.clear_attempts($1)", keys)


async def delete_empty_rate_limits(database: Database, limit: int) -> None:
    """Delete up to `limit` buckets that are empty."""
    await database.execute("select gatepost.delete_empty_rate_limits($1)", limit)
