"""Permissions: who may use the admin routes. Admins may use all of them, API keys those of their scopes.

Whether a user is an admin and not disabled is read from the database on each request, never from the token alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends
from fastapi.openapi.models import HTTPBearer
from starlette.requests import HTTPConnection

from gatepost.accounts import store
from gatepost.audit import Actor
from gatepost.errors import Forbidden, NotAuthenticated
from gatepost.http import Guard, find_runtime, request_ip
from gatepost.security import API_KEY_PREFIX, Scope, api_key_prefix, bearer_token, hash_api_key, use_api_key
from gatepost.sessions import require_recent, require_session

if TYPE_CHECKING:
    from gatepost.runtime import Runtime


class AdminGuard(Guard):
    """A dependency that lets admins pass, and API keys with the scope; without a scope, only admins.

    Raises:
        Unauthorized: not signed in, or the session has ended.
        Forbidden: the user is not an admin or is disabled, or the key lacks the scope.
        ReauthenticationRequired: the action (`recent`) needs a recently entered password.
    """

    def __init__(self, scope: Scope | None, *, recent: bool = False) -> None:
        self._scope = scope
        self._recent = recent
        self.model = HTTPBearer()
        self.scheme_name = "AccessToken"

    async def __call__(self, connection: HTTPConnection) -> Actor:
        """Return the actor of a request."""
        earlier: Actor | None = self.earlier_result(connection)
        if earlier is not None:
            return earlier
        runtime = find_runtime(connection)
        ip = request_ip(connection, runtime)
        token = bearer_token(connection)
        if token is not None and token.startswith(API_KEY_PREFIX):
            return Actor(await self._check_api_key(runtime, token), ip)
        session = await require_session(connection)
        async with runtime.database.connection() as database:
            if not await store.is_admin(database, session.user_id):
                raise Forbidden
        if self._recent:
            require_recent(session)
        return Actor(f"user:{session.user_id}", ip, session.user_id, session.id)

    async def _check_api_key(self, runtime: Runtime, key: str) -> str:
        prefix = api_key_prefix(key)
        if prefix is None:
            raise NotAuthenticated
        async with runtime.database.connection() as connection:
            found = await use_api_key(connection, prefix, hash_api_key(key))
        if found is None:
            raise NotAuthenticated
        key_id, scopes = found
        if self._scope is None or self._scope not in scopes:
            raise Forbidden
        return f"key:{key_id}"


CurrentAdmin = Annotated[Actor, Depends(AdminGuard(None))]
RecentAdmin = Annotated[Actor, Depends(AdminGuard(None, recent=True))]
