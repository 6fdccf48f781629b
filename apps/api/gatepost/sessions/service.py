"""The rules of sessions: lifetimes, the cap, refresh, step-up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from asyncpg import Record

from gatepost.db import Connection, Database, Reader
from gatepost.errors import ApiError, ReauthenticationRequired, SessionExpired, SessionIdle, SessionRevoked
from gatepost.security import RefreshTokens, decrypt_successor, encrypt_successor, hash_refresh_token
from gatepost.sessions import store
from gatepost.sessions.device import parse_device
from gatepost.sessions.models import EndReason, OpenedSession, RefreshedSession, Session
from gatepost.settings import Settings
from gatepost.types import IPAddress

# A second use of a refresh token within this time is two tabs or a lost response, not theft.
REFRESH_GRACE = timedelta(seconds=10)
# Step-up: sensitive actions need a password entered no longer ago than this (OWASP ASVS 7.5.2).
STEP_UP_AGE = timedelta(minutes=15)

_REASONS: dict[EndReason, str] = {
    "signed_out": "You signed out on this device.",
    "signed_out_elsewhere": "This device was signed out from another device.",
    "signed_out_by_admin": "This device was signed out by an admin.",
    "evicted": "This device was signed out because you signed in on too many other devices.",
    "password_changed": "This device was signed out because your password was changed.",
    "refresh_token_reused": (
        "This device was signed out because its session was used on two devices. If that was not you, change your "
        "password."
    ),
    "not_me": "This device was signed out because you reported a sign-in that was not yours.",
}


class SessionService:
    """Opens, refreshes, lists and revokes sessions by the configured rules."""

    def __init__(self, settings: Settings, refresh_tokens: RefreshTokens) -> None:
        self._settings = settings
        self._refresh_tokens = refresh_tokens

    @property
    def idle_timeout(self) -> timedelta:
        """How long a session may go unused."""
        return self._settings.idle_timeout

    async def open_session(
        self,
        connection: Connection,
        *,
        user_id: UUID,
        name: str | None,
        user_agent: str | None,
        ip: IPAddress | None,
        replaced_id: UUID | None = None,
        known_device: bool = False,
    ) -> OpenedSession:
        """Open a session for a user; above the cap the least recently active ones are evicted.

        The session that it replaces, if any, is signed out. If the device is new to the user, a notification is queued
        in the same transaction.
        """
        session_id = uuid4()
        refresh_token = self._refresh_tokens.create(session_id)
        session, evicted = await store.open_session(
            connection,
            session_id=session_id,
            user_id=user_id,
            token_hash=hash_refresh_token(refresh_token),
            name=name,
            device=parse_device(user_agent),
            ip=ip,
            lifetime=self._settings.session_lifetime,
            idle_timeout=self._settings.idle_timeout,
            max_sessions=self._settings.max_sessions,
            replaced_id=replaced_id,
            known_device=known_device,
        )
        return OpenedSession(session, refresh_token, evicted)

    async def refresh_session(
        self, connection: Connection, token: str, ip: IPAddress | None
    ) -> RefreshedSession | None:
        """Exchange a refresh token for its successor; None if the session does not exist any more.

        The caller commits whatever the outcome: reuse of a token revokes the session. Whether the session is over
        shows in its `end_reason`.

        Raises:
            TokenInvalid: the token is forged.
        """
        session_id = self._refresh_tokens.verify(token)
        successor = self._refresh_tokens.create(session_id)
        refreshed = await store.refresh_session(
            connection,
            session_id=session_id,
            token_hash=hash_refresh_token(token),
            successor_hash=hash_refresh_token(successor),
            successor_encrypted=encrypt_successor(token, successor),
            ip=ip,
            grace=REFRESH_GRACE,
            idle_timeout=self._settings.idle_timeout,
        )
        if refreshed is None:
            return None
        if refreshed.successor is not None:
            successor = decrypt_successor(token, refreshed.successor)
        return RefreshedSession(refreshed.session, successor, refreshed.outcome)

    async def read_session(self, reader: Reader, session_id: UUID) -> Record | None:
        """Return a session's row with `state` (its current end reason) and `is_due`, for the guard."""
        return await store.read_session(
            reader,
            session_id,
            idle_timeout=self._settings.idle_timeout,
            activity_interval=self._settings.activity_interval,
        )

    async def touch_session(self, database: Database, session_id: UUID, ip: IPAddress | None) -> None:
        """Record that a session is in use, at most once per activity interval."""
        await store.touch_session(database, session_id, ip, activity_interval=self._settings.activity_interval)

    async def expire_session(self, database: Database, session_id: UUID) -> None:
        """Record the end of a session that has expired or been idle for too long."""
        await store.expire_session(database, session_id, idle_timeout=self._settings.idle_timeout)

    async def list_sessions(
        self,
        connection: Connection,
        *,
        user_id: UUID,
        current_id: UUID,
        include_ended: bool,
        after: store.SortKey | None,
        limit: int,
    ) -> tuple[list[Session], store.SortKey | None]:
        """Return a page of a user's sessions, the current one first, then by last activity; and the key of the next."""
        return await store.list_sessions(
            connection,
            user_id=user_id,
            current_id=current_id,
            include_ended=include_ended,
            after=after,
            limit=limit,
            idle_timeout=self._settings.idle_timeout,
        )

    async def rename_session(
        self, connection: Connection, *, user_id: UUID, session_id: UUID, name: str | None, current_id: UUID
    ) -> Session | None:
        """Name a user's active session (None: the device's default name) and return it, or None if there is none."""
        return await store.rename_session(
            connection,
            user_id=user_id,
            session_id=session_id,
            name=name,
            current_id=current_id,
            idle_timeout=self._settings.idle_timeout,
        )

    async def revoke_session(
        self, connection: Connection, *, user_id: UUID, session_id: UUID, ended_by: UUID | None, reason: EndReason
    ) -> bool:
        """Revoke a user's session and return whether it was active; revoking it again changes nothing.

        Raises:
            NotFound: the user has no such session.
        """
        return await store.revoke_session(
            connection,
            user_id=user_id,
            session_id=session_id,
            ended_by=ended_by,
            reason=reason,
            idle_timeout=self._settings.idle_timeout,
        )

    async def revoke_other_sessions(
        self, connection: Connection, *, user_id: UUID, kept_id: UUID | None, reason: EndReason
    ) -> int:
        """Revoke all of a user's sessions except one (None: all of them) and return how many."""
        return await store.revoke_other_sessions(
            connection, user_id=user_id, kept_id=kept_id, reason=reason, idle_timeout=self._settings.idle_timeout
        )

    async def erase_successors(self, database: Database) -> None:
        """Erase encrypted refresh tokens whose grace period is over."""
        await store.erase_successors(database, grace=REFRESH_GRACE)

    async def list_ended(
        self, connection: Connection, session_ids: list[UUID], since: datetime | None
    ) -> tuple[datetime, list[Session]]:
        """Return the database's time, and ended sessions by id or since a time, in the order of their ends."""
        return await store.list_ended(connection, session_ids, since, idle_timeout=self._settings.idle_timeout)


def require_recent(session: Session) -> None:
    """Require that the user entered their password recently (step-up).

    Raises:
        ReauthenticationRequired: they did not.
    """
    if datetime.now(UTC) - session.authenticated_at > STEP_UP_AGE:
        raise ReauthenticationRequired


def ended_error(reason: EndReason) -> ApiError:
    """Return the error for requests of a session that has ended."""
    errors: dict[EndReason, type[ApiError]] = {"idle": SessionIdle, "expired": SessionExpired}
    return errors.get(reason, SessionRevoked)(_REASONS.get(reason), reason=reason)
