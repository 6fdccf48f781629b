"""Users and the links in their emails, in SQL."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from asyncpg import Record

from gatepost.accounts.models import Role, User
from gatepost.db import Connection, Database
from gatepost.errors import ApiError, Conflict, LinkExpired, LinkInvalid, LinkUsed, LinkVoided, RateLimited
from gatepost.types import IPAddress

_LINK_ERRORS: dict[str, type[ApiError]] = {
    "unknown": LinkInvalid,
    "expired": LinkExpired,
    "used": LinkUsed,
    "voided": LinkVoided,
}


@dataclass(frozen=True)
class UserWithPassword:
    """A user with their password hash."""

    user: User
    password_hash: str


@dataclass(frozen=True)
class UsedLink:
    """What using a link did: how many sessions it revoked, and the id of a link to set a new password, if any."""

    revoked: int
    reset_link_id: UUID | None


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
    # Not "for share": two sign-ins that share the row could then not update the user's language.
    query = "select disabled_at is null from gatepost.users where id = $1 and password_hash = $2 for no key update"
    enabled: bool | None = await connection.fetchval(query, user_id, password_hash)
    return enabled


async def record_failed_sign_in(database: Database, user_id: UUID | None, ip: IPAddress | None) -> None:
    """Audit a wrong password, with the user if known; never with the email address that was typed."""
    target = f"user:{user_id}" if user_id else None
    query = "select gatepost.record_audit('anonymous', 'sign_in.failed', $1, null, $2)"
    await database.execute(query, target, ip)


async def register_user(connection: Connection, email: str, password_hash: str, ip: IPAddress | None) -> User | None:
    """Create a user and queue the email that confirms their email address, or return None if it has an account."""
    row = await connection.fetchrow("select * from gatepost.register_user($1, $2, $3)", email, password_hash, ip)
    return _user(row) if row else None


async def set_registration_session(connection: Connection, user_id: UUID, session_id: UUID) -> None:
    """Record the session in which a user registered."""
    query = "update gatepost.users set registration_session_id = $2 where id = $1"
    await connection.execute(query, user_id, session_id)


async def request_registration(connection: Connection, email: str, language: str | None, ip: IPAddress | None) -> None:
    """Queue an email to an address that registers, whether or not it has an account."""
    await connection.execute("select gatepost.request_registration($1, $2, $3)", email, language, ip)


async def change_password(
    connection: Connection,
    *,
    user_id: UUID,
    session_id: UUID | None,
    old_hash: str,
    new_hash: str,
    ip: IPAddress | None,
    idle_timeout: timedelta,
) -> int:
    """Set a new password in a session (None: by the operator), revoke all others of the user and return how many.

    Raises:
        Conflict: the old hash is not the current one.
    """
    query = "select gatepost.change_password($1, $2, $3, $4, $5, $6)"
    revoked: int = await connection.fetchval(query, user_id, session_id, old_hash, new_hash, ip, idle_timeout)
    return revoked


async def find_link_email(connection: Connection, link_id: UUID) -> str | None:
    """Return the email address that a link was sent to, or None if there is no such link."""
    email: str | None = await connection.fetchval("select email from gatepost.links where id = $1", link_id)
    return email


async def reset_password(
    connection: Connection, link_id: UUID, new_hash: str, ip: IPAddress | None, idle_timeout: timedelta
) -> int:
    """Set a new password by a link, which confirms the email address; revoke all sessions and return how many.

    Raises:
        LinkInvalid, LinkExpired, LinkUsed, LinkVoided: the link cannot be used.
    """
    query = "select *, null::uuid as reset_link_id from gatepost.reset_password($1, $2, $3, $4)"
    return _used_link(await connection.fetchrow(query, link_id, new_hash, ip, idle_timeout)).revoked


async def confirm_email(
    connection: Connection,
    link_id: UUID,
    session_id: UUID | None,
    ip: IPAddress | None,
    idle_timeout: timedelta,
) -> UsedLink:
    """Confirm an email address by a link; outside the session that registered, a new password has to be set.

    Raises:
        LinkInvalid, LinkExpired, LinkUsed: the link cannot be used.
    """
    query = "select * from gatepost.confirm_email($1, $2, $3, $4)"
    return _used_link(await connection.fetchrow(query, link_id, session_id, ip, idle_timeout))


async def report_session(
    connection: Connection, link_id: UUID, ip: IPAddress | None, idle_timeout: timedelta
) -> UsedLink:
    """Report a sign-in as "not me" by a link, which revokes every session of the user.

    Raises:
        LinkInvalid, LinkExpired, LinkUsed: the link cannot be used.
    """
    query = "select * from gatepost.use_not_me_link($1, $2, $3)"
    return _used_link(await connection.fetchrow(query, link_id, ip, idle_timeout))


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


async def request_password_reset(connection: Connection, email: str, ip: IPAddress | None) -> None:
    """Queue an email with a link that sets a new password, if the email address has an account."""
    await connection.execute("select gatepost.request_password_reset($1, $2)", email, ip)


async def update_language(connection: Connection, user_id: UUID, language: str | None) -> None:
    """Record the language that a user's browser asks for."""
    query = "update gatepost.users set locale = $2 where id = $1 and locale is distinct from $2"
    await connection.execute(query, user_id, language)


async def rehash_password(connection: Connection, user_id: UUID, old_hash: str, new_hash: str) -> None:
    """Store the same password under newer hash parameters."""
    query = "update gatepost.users set password_hash = $3 where id = $1 and password_hash = $2"
    await connection.execute(query, user_id, old_hash, new_hash)


def _used_link(row: Record | None) -> UsedLink:
    """Return what a link did, or raise why it could not be used."""
    if row is None or row["outcome"] != "ok":
        raise _LINK_ERRORS[row["outcome"] if row else "unknown"]
    return UsedLink(row["revoked"], row["reset_link_id"])


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
