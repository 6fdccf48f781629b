"""The rules of admin actions, for the API and the CLI."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from gatepost import audit
from gatepost.admin import bulk, search, store
from gatepost.admin.models import (
    AdminSession,
    AdminSessionPage,
    AdminUser,
    AdminUserPage,
    ApiKeyPage,
    CreateApiKey,
    NewApiKey,
    RevokedByFilter,
    RevokeSessions,
)
from gatepost.audit import Actor, AuditPage
from gatepost.db import Connection, Database
from gatepost.geoip import GeoIp
from gatepost.http import pagination
from gatepost.security import generate_api_key, hash_api_key
from gatepost.sessions import set_locations


class AdminService:
    """Finds and revokes any user's sessions, manages users and API keys, reads the audit log."""

    def __init__(self, database: Database, geoip: GeoIp, idle_timeout: timedelta) -> None:
        self._database = database
        self._geoip = geoip
        self._idle_timeout = idle_timeout

    async def list_sessions(
        self,
        connection: Connection,
        wanted: search.Search,
        cursor: str | None,
        limit: int,
        *,
        current_id: UUID | None = None,
    ) -> AdminSessionPage:
        """Return a page of any user's sessions.

        Raises:
            ValidationFailed: the cursor is not one of this search.
        """
        found = await search.search_sessions(connection, wanted, cursor, limit, idle_timeout=self._idle_timeout)
        items = [
            AdminSession.from_row(row, idle_timeout=self._idle_timeout, current_id=current_id) for row in found.rows
        ]
        set_locations(self._geoip, items)
        return AdminSessionPage(items=items, next_cursor=found.next_cursor)

    async def revoke_matching_sessions(
        self, request: RevokeSessions, actor: Actor, on_step: bulk.OnStep = lambda _done, _total: None
    ) -> RevokedByFilter:
        """Revoke the sessions that match a filter, in small transactions; `on_step` gets the progress."""
        return await bulk.revoke_matching(
            self._database, request, actor, idle_timeout=self._idle_timeout, on_step=on_step
        )

    async def list_users(self, connection: Connection, q: str | None, cursor: str | None, limit: int) -> AdminUserPage:
        """Return a page of users, those whose email address or name begins with `q`.

        Raises:
            ValidationFailed: the cursor is not one of this list.
        """
        after = pagination.decode(cursor, str, UUID)
        users = await store.list_users(connection, q, after, limit + 1, idle_timeout=self._idle_timeout)
        page = users[:limit]
        more = pagination.encode(page[-1].email.lower(), page[-1].id) if len(users) > limit else None
        return AdminUserPage(items=page, next_cursor=more)

    async def read_user(self, connection: Connection, user_id: UUID) -> AdminUser | None:
        """Return a user, or None."""
        return await store.read_user(connection, user_id, idle_timeout=self._idle_timeout)

    async def revoke_user_sessions(
        self, connection: Connection, user_id: UUID, actor: Actor, reason: str | None, *, notify: bool = False
    ) -> int:
        """Revoke all sessions of a user and return how many."""
        return await store.revoke_user_sessions(
            connection, user_id, actor, reason, idle_timeout=self._idle_timeout, notify=notify
        )

    async def act_on_user(
        self, connection: Connection, action: store.UserAction, user_id: UUID, actor: Actor, reason: str | None
    ) -> int:
        """Disable, enable or delete a user and return how many sessions that revoked.

        Raises:
            NotFound: there is no such user.
        """
        return await store.act_on_user(connection, action, user_id, actor, reason, idle_timeout=self._idle_timeout)

    async def list_api_keys(self, connection: Connection, cursor: str | None, limit: int) -> ApiKeyPage:
        """Return a page of API keys, newest first.

        Raises:
            ValidationFailed: the cursor is not one of this list.
        """
        found = await store.list_api_keys(connection, *pagination.decode_created(cursor), limit + 1)
        items, more = pagination.paginate(found, limit)
        return ApiKeyPage(items=items, next_cursor=more)

    async def create_api_key(self, connection: Connection, form: CreateApiKey, actor: Actor) -> NewApiKey:
        """Create an API key and return it with its secret, which cannot be read again."""
        secret, prefix = generate_api_key()
        key = await store.create_api_key(connection, form, prefix, hash_api_key(secret), actor)
        return NewApiKey(**key.model_dump(), secret=secret)

    async def list_audit(
        self,
        connection: Connection,
        *,
        actor: str | None,
        action: str | None,
        target: str | None,
        cursor: str | None,
        limit: int,
    ) -> AuditPage:
        """Return a page of the audit log, newest first.

        Raises:
            ValidationFailed: the cursor is not one of this list.
        """
        key = pagination.decode(cursor, int)
        rows = await audit.list_rows(connection, actor, action, target, key[0] if key else None, limit + 1)
        page = rows[:limit]
        return AuditPage(items=page, next_cursor=pagination.encode(page[-1].id) if len(rows) > limit else None)
