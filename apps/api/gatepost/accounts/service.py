"""The rules of accounts: registration, and password checks with their rate limits."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from gatepost.accounts import store
from gatepost.accounts.models import User
from gatepost.accounts.store import UserWithPassword
from gatepost.db import Connection, Database
from gatepost.errors import Conflict, Forbidden, InvalidCredentials, TokenInvalid
from gatepost.security import Passwords, RateLimiter
from gatepost.types import IPAddress


class AccountService:
    """Creates users and checks passwords. No database connection is held while a password is hashed."""

    def __init__(self, database: Database, passwords: Passwords, rate_limiter: RateLimiter) -> None:
        self._database = database
        self._passwords = passwords
        self._rate_limiter = rate_limiter

    async def authenticate(
        self, email: str, password: str, ip: IPAddress | None, is_known: Callable[[User], bool]
    ) -> UserWithPassword:
        """Return the user with an email address and password.

        `is_known` says whether the browser is known to a user: others cannot use up its attempts.

        Raises:
            InvalidCredentials: there is no such user, or the password is wrong; both take the same time.
            RateLimited: there were too many attempts.
        """
        async with self._database.connection() as connection:
            found = await store.find_user(connection, email)
        device = f"browser/{found.user.id}" if found and is_known(found.user) else None
        return await self._check(email, found, password, ip, device)

    async def reauthenticate(
        self, user_id: UUID, session_id: UUID, password: str, ip: IPAddress | None
    ) -> UserWithPassword:
        """Return a user after checking their password once more, in a session.

        Raises:
            TokenInvalid: the user does not exist any more.
            InvalidCredentials: the password is wrong.
            RateLimited: there were too many attempts.
        """
        async with self._database.connection() as connection:
            found = await store.read_user(connection, user_id)
        if found is None:
            raise TokenInvalid
        return await self._check(found.user.email, found, password, ip, f"session/{session_id}")

    async def lock_password(self, connection: Connection, authenticated: UserWithPassword) -> None:
        """Make sure that the password that was just checked is current until the transaction ends.

        Otherwise a session could outlive a change of password that happened during the check.

        Raises:
            InvalidCredentials: the password was changed meanwhile.
            Forbidden: the account is disabled.
        """
        enabled = await store.lock_password(connection, authenticated.user.id, authenticated.password_hash)
        if enabled is None:
            raise InvalidCredentials
        if not enabled:
            raise Forbidden("This account is disabled. Contact support.")

    async def rehash_if_needed(self, authenticated: UserWithPassword, password: str) -> None:
        """Hash a password that was just checked again if today's hash parameters are different."""
        if not self._passwords.needs_rehash(authenticated.password_hash):
            return
        new_hash = await self._passwords.hash(password)
        async with self._database.transaction() as connection:
            await store.rehash_password(connection, authenticated.user.id, authenticated.password_hash, new_hash)

    async def register_user(self, connection: Connection, email: str, password_hash: str, ip: IPAddress | None) -> User:
        """Create a user and queue the email that confirms their email address.

        Raises:
            Conflict: the email address has an account.
        """
        user = await store.register_user(connection, email, password_hash, ip)
        if user is None:
            raise Conflict("This email address already has an account. Sign in instead.")
        return user

    async def _check(
        self, email: str, found: UserWithPassword | None, password: str, ip: IPAddress | None, device: str | None
    ) -> UserWithPassword:
        await self._rate_limiter.count_password_attempt(email, ip, device)
        matches = await self._passwords.verify(found.password_hash if found else None, password)
        if found is None or not matches:
            # On a connection of its own, because the request's transaction is rolled back.
            await store.record_failed_sign_in(self._database, found.user.id if found else None, ip)
            raise InvalidCredentials
        await self._rate_limiter.reset_password_attempts(email, device)
        return found
