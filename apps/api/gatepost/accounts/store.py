"""Users and the links in their emails, in SQL."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from asyncpg import Record

from gatepost.accounts.models import Role, User
from gatepost.db import Connection, Database
from gatepost.errors import ApiError, Conflict, LinkExpired, LinkInvalid, LinkUsed, RateLimited
from gatepost.security import LinkPurpose
from gatepost.types import IPAddress

_LINK_ERRORS: dict[str, type[ApiError]] = {"unknown": LinkInvalid, "expired": LinkExpired, "used": LinkUsed}


@dataclass(frozen=True)
class UserWithPassword:
    """A user with their password hash."""

    user: User
    password_hash: str


@dataclass(frozen=True)
class UsedLink:
    """A link that was just used: its user, the session it is about, and the email address it was sent to."""

    user_id: UUID
    session_id: UUID | None
    email: str


async def create_user(
    connection: Connection, email: str, password_hash: str, role: Role = "user", *, confirmed: bool = False
) -> User | None:
    """Create a user, or return None if the email address has an account.

    With `confirmed`, the email address counts as verified.
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
    return _user(row) if row else None


async def find_user(connection: Connection, email: str) -> UserWithPassword | None:
    """Return a user by email address, ignoring case, or None."""
    return _with_password(
        await connection.fetchrow("select * from gatepost.users where lower(email) = lower($1)", email)
    )


async def read_user(connection: Connection, user_id: UUID) -> UserWithPassword | None:
    """Return a user by id, or None."""
    return _with_password(await connection.fetchrow("select * from gatepost.users where id = $1", user_id))


async def is_admin(connection: Connection, user_id: UUID) -> bool:
    """Return whether a user is an admin now, and not disabled."""
    query = "select role = 'admin' and disabled_at is null from gatepost.users where id = $1"
    return bool(await connection.fetchval(query, user_id))


async def lock_password(connection: Connection, user_id: UUID, password_hash: str) -> bool | None:
    """Lock a user's password and state until the transaction ends.

    True: the password is still this one. False: it is, but the user is disabled. None: it is not.
    """
    query = "select disabled_at is null from gatepost.users where id = $1 and password_hash = $2 for share"
    enabled: bool | None = await connection.fetchval(query, user_id, password_hash)
    return enabled


async def record_failed_sign_in(database: Database, user_id: UUID | None, ip: IPAddress | None) -> None:
    """Audit a wrong password, with the user if known; never with the email address that was typed."""
    target = f"user:{user_id}" if user_id else None
    query = "select gatepost.record_audit('anonymous', 'sign_in.failed', $1, null, $2)"
    await database.execute(query, target, ip)


async def replace_password(connection: Connection, user_id: UUID, old_hash: str, new_hash: str) -> bool:
    """Set a new password hash; False if the old one is no longer current."""
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
    """Set a new password by a link sent to an email address, which verifies it; False if it is no longer the user's."""
    query = """
        update gatepost.users
        set password_hash = $2, password_changed_at = now(), email_verified_at = coalesce(email_verified_at, now())
        where id = $1 and lower(email) = lower($3)
        returning true
    """
    return bool(await connection.fetchval(query, user_id, new_hash, email))


async def verify_email(connection: Connection, user_id: UUID, email: str) -> bool:
    """Mark an email address as verified and welcome the user the first time; False if it is no longer the user's."""
    query = """
        update gatepost.users u set email_verified_at = now() from gatepost.users old
        where u.id = $1 and old.id = u.id and lower(u.email) = lower($2)
        returning old.email_verified_at is null as first
    """
    row = await connection.fetchrow(query, user_id, email)
    if row and row["first"]:
        await connection.execute("select gatepost.queue_notification('welcome', $1)", user_id)
    return row is not None


async def request_email_verification(connection: Connection, user_id: UUID) -> None:
    """Queue an email with a link that verifies a user's email address.

    Raises:
        Conflict: it is verified already.
        RateLimited: five were sent within the last hour.
    """
    row = await connection.fetchrow("select * from gatepost.request_email_verification($1)", user_id)
    if row and row["outcome"] == "verified":
        raise Conflict("Your email address is already confirmed.")
    if row and row["outcome"] == "limited":
        raise RateLimited.after(row["wait"])


async def create_link(connection: Connection, purpose: LinkPurpose, user_id: UUID, lifetime: timedelta) -> UUID:
    """Create a link that is not sent in an email, and return its id."""
    query = """
        insert into gatepost.links (purpose, user_id, email, expires_at)
        select $1, id, email, clock_timestamp() + $3 from gatepost.users where id = $2
        returning id
    """
    link_id: UUID = await connection.fetchval(query, purpose, user_id, lifetime)
    return link_id


async def use_link(connection: Connection, link_id: UUID, purpose: LinkPurpose) -> UsedLink:
    """Use a link, which works once, and return what it is for.

    Raises:
        LinkInvalid, LinkExpired, LinkUsed: it cannot be used.
    """
    row = await connection.fetchrow("select * from gatepost.use_link($1, $2)", link_id, purpose)
    if row is None or row["outcome"] != "ok":
        raise _LINK_ERRORS[row["outcome"] if row else "unknown"]
    return UsedLink(row["user_id"], row["session_id"], row["email"])


async def request_password_reset(connection: Connection, email: str) -> None:
    """Queue an email with a link that sets a new password, if the email address has an account."""
    await connection.execute("select gatepost.request_password_reset($1)", email)


async def update_language(connection: Connection, user_id: UUID, language: str | None) -> None:
    """Record the language that a user's browser asks for."""
    query = "update gatepost.users set locale = $2 where id = $1 and locale is distinct from $2"
    await connection.execute(query, user_id, language)


async def rehash_password(connection: Connection, user_id: UUID, old_hash: str, new_hash: str) -> None:
    """Store the same password under newer hash parameters."""
    query = "update gatepost.users set password_hash = $3 where id = $1 and password_hash = $2"
    await connection.execute(query, user_id, old_hash, new_hash)


def _with_password(row: Record | None) -> UserWithPassword | None:
    return UserWithPassword(_user(row), row["password_hash"]) if row else None


def _user(row: Record) -> User:
    return User(
        id=row["id"],
        email=row["email"],
        role=row["role"],
        user_metadata=json.loads(row["user_metadata"]),
        created_at=row["created_at"],
        email_verified_at=row["email_verified_at"],
        password_changed_at=row["password_changed_at"],
    )
