"""Accounts in SQL."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from asyncpg import Record

from gatepost.accounts.models import Person
from gatepost.db.pool import Connection, Database
from gatepost.errors import Conflict, LinkExpired, LinkInvalid, LinkUsed, RateLimited, Refusal
from gatepost.http.client_ip import Address
from gatepost.security.link_tokens import Purpose

_LINK_REFUSALS: dict[str, type[Refusal]] = {"unknown": LinkInvalid, "expired": LinkExpired, "used": LinkUsed}


@dataclass(frozen=True)
class UsedLink:
    """Whom a link was for, which session it was about, and the address that it went to."""

    user_id: UUID
    session_id: UUID | None
    email: str


async def create_person(
    connection: Connection,
    email: str,
    password_hash: str,
    role: Literal["user", "admin"] = "user",
    *,
    confirmed: bool = False,
) -> Person | None:
    """Add a person and return them, or None when the address has an account already.

    `confirmed`: whoever runs the service says that the address is theirs.
    """
    row = await connection.fetchrow(
        """
        insert into gatepost.users (email, password_hash, role, email_verified_at)
        values ($1, $2, $3, case when $4 then now() end)
        on conflict (lower(email)) do nothing
        returning *
        """,
        email,
        password_hash,
        role,
        confirmed,
    )
    return _person(row) if row else None


async def find_person(connection: Connection, email: str) -> tuple[Person, str] | None:
    """Return a person with their password hash, or None; letters' case does not matter."""
    row = await connection.fetchrow("select * from gatepost.users where lower(email) = lower($1)", email)
    return (_person(row), row["password_hash"]) if row else None


async def read_person(connection: Connection, user_id: UUID) -> tuple[Person, str] | None:
    """Return a person with their password hash by id, or None."""
    row = await connection.fetchrow("select * from gatepost.users where id = $1", user_id)
    return (_person(row), row["password_hash"]) if row else None


async def hold_password(connection: Connection, user_id: UUID, password_hash: str) -> bool | None:
    """Keep a person's password and state from changing until the transaction ends.

    True: this is their password still. False: it is, and they are disabled. None: it is not.
    """
    query = "select disabled_at is null from gatepost.users where id = $1 and password_hash = $2 for share"
    enabled: bool | None = await connection.fetchval(query, user_id, password_hash)
    return enabled


async def note_failed_sign_in(database: Database, user_id: UUID | None, ip: Address | None) -> None:
    """Write down that somebody gave a wrong password, for whom if that is known; never the address they typed."""
    target = f"person:{user_id}" if user_id else None
    query = "select gatepost.note_audit('anonymous', 'sign_in.failed', $1, null, $2)"
    await database.execute(query, target, ip)


async def replace_password(connection: Connection, user_id: UUID, old_hash: str, new_hash: str) -> bool:
    """Set a new password hash; False when the old one is no longer there."""
    replaced = await connection.fetchval(
        """
        update gatepost.users set password_hash = $3, password_changed_at = now()
        where id = $1 and password_hash = $2
        returning true
        """,
        user_id,
        old_hash,
        new_hash,
    )
    return bool(replaced)


async def reset_password(connection: Connection, user_id: UUID, new_hash: str, email: str) -> bool:
    """Set a new password for whoever reads the mail of an address, which confirms it; False: it is no longer theirs."""
    query = """
        update gatepost.users
        set password_hash = $2, password_changed_at = now(), email_verified_at = coalesce(email_verified_at, now())
        where id = $1 and lower(email) = lower($3)
        returning true
    """
    return bool(await connection.fetchval(query, user_id, new_hash, email))


async def verify_email(connection: Connection, user_id: UUID, email: str) -> bool:
    """Note that an address is a person's, and greet them the first time; False: it is no longer theirs."""
    query = """
        update gatepost.users u set email_verified_at = now() from gatepost.users old
        where u.id = $1 and old.id = u.id and lower(u.email) = lower($2)
        returning old.email_verified_at is null as first
    """
    row = await connection.fetchrow(query, user_id, email)
    if row and row["first"]:
        await connection.execute("select gatepost.queue_notice('welcome', $1)", user_id)
    return row is not None


async def request_email_verification(connection: Connection, user_id: UUID) -> None:
    """Queue a mail with a link that confirms a person's address.

    Raises:
        Conflict: it is confirmed.
        RateLimited: five were sent within the hour.
    """
    row = await connection.fetchrow("select * from gatepost.request_email_verification($1)", user_id)
    if row and row["outcome"] == "confirmed":
        raise Conflict("This address is confirmed already.")
    if row and row["outcome"] == "limited":
        raise RateLimited.after(row["wait"])


async def add_link(connection: Connection, purpose: Purpose, user_id: UUID, lifetime: timedelta) -> UUID:
    """Make a link that goes in no mail, and return its id."""
    query = """
        insert into gatepost.security.link_tokens (purpose, user_id, email, expires_at)
        select $1, id, email, clock_timestamp() + $3 from gatepost.users where id = $2
        returning id
    """
    link_id: UUID = await connection.fetchval(query, purpose, user_id, lifetime)
    return link_id


async def use_link(connection: Connection, link_id: UUID, purpose: Purpose) -> UsedLink:
    """Use a link up and return what it was for.

    Raises:
        LinkInvalid, LinkExpired, LinkUsed: it cannot be.
    """
    row = await connection.fetchrow("select * from gatepost.use_link($1, $2)", link_id, purpose)
    if row is None or row["outcome"] != "ok":
        raise _LINK_REFUSALS[row["outcome"] if row else "unknown"]
    return UsedLink(row["user_id"], row["session_id"], row["email"])


async def request_password_reset(connection: Connection, email: str) -> None:
    """Queue a mail with a link to choose a new password, if the address has an account."""
    await connection.execute("select gatepost.request_password_reset($1)", email)


async def note_language(connection: Connection, user_id: UUID, language: str | None) -> None:
    """Remember the language that a person's browser asks for."""
    query = "update gatepost.users set locale = $2 where id = $1 and locale is distinct from $2"
    await connection.execute(query, user_id, language)


async def rehash_password(connection: Connection, user_id: UUID, old_hash: str, new_hash: str) -> None:
    """Keep the same password under newer parameters."""
    query = "update gatepost.users set password_hash = $3 where id = $1 and password_hash = $2"
    await connection.execute(query, user_id, old_hash, new_hash)


async def list_signing_keys(connection: Connection) -> list[Record]:
    """Return the signing keys that are not retired, the newest first."""
    query = "select kid, private_sealed from gatepost.signing_keys where retired_at is null order by created_at desc"
    return await connection.fetch(query)


async def add_first_signing_key(
    connection: Connection, kid: str, public_jwk: dict[str, Any], private_sealed: bytes
) -> list[Record]:
    """Add a signing key unless another process was first, and return those that are there."""
    await connection.execute("lock table gatepost.signing_keys in share row exclusive mode")
    if keys := await list_signing_keys(connection):
        return keys
    await connection.execute(
        "insert into gatepost.signing_keys (kid, public_jwk, private_sealed) values ($1, $2, $3)",
        kid,
        json.dumps(public_jwk),
        private_sealed,
    )
    return await list_signing_keys(connection)


def _person(row: Record) -> Person:
    return Person(
        id=row["id"],
        email=row["email"],
        role=row["role"],
        user_metadata=json.loads(row["user_metadata"]),
        created_at=row["created_at"],
        email_verified_at=row["email_verified_at"],
        password_changed_at=row["password_changed_at"],
    )
