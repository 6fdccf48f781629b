"""The guard of the staff routes: an admin in person, or an API key with the scope.

Whether somebody is an admin and not disabled is read from the database at each request, never from the token alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from gatepost.admin import api_keys as key_store
from gatepost.admin import store
from gatepost.admin.models import Scope
from gatepost.errors import Forbidden, NotAuthenticated
from gatepost.http import client_ip as address
from gatepost.http import dependencies as deps
from gatepost.security import api_keys as keys
from gatepost.sessions.guard import demand_recent, require_session


@dataclass(frozen=True)
class Actor:
    """Who acts: the name that the audit log gets, the address, and the session where it is a person."""

    name: str
    ip: address.Address | None
    session_id: UUID | None = None


class StaffGuard(SecurityBase):
    """A dependency that lets staff pass: admins, and API keys with the scope; without a scope, admins alone.

    Raises:
        Unauthorized: nobody, or a session that ended.
        Forbidden: an ordinary or disabled person, a key without the scope.
        ReauthenticationRequired: an act (`acts`) of a person whose last password is old.
    """

    def __init__(self, scope: Scope | None, *, acts: bool = False) -> None:
        self._scope = scope
        self._acts = acts
        self.model = HTTPBearer()
        self.scheme_name = "AccessToken"

    async def __call__(self, request: Request) -> Actor:
        """Return who acts."""
        runtime = deps.find_runtime(request)
        ip = deps.client_address(request, runtime)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token.strip().startswith(keys.PREFIX):
            return Actor(await self._key(runtime, token.strip()), ip)
        session = await require_session(request)
        async with runtime.database.connection() as connection:
            if not await store.is_admin(connection, session.user_id):
                raise Forbidden
        if self._acts:
            demand_recent(session)
        return Actor(f"person:{session.user_id}", ip, session.id)

    async def _key(self, runtime: deps.Runtime, key: str) -> str:
        readable = keys.readable_part(key)
        if readable is None:
            raise NotAuthenticated
        async with runtime.database.connection() as connection:
            found = await key_store.use_key(connection, readable, keys.digest(key))
        if found is None:
            raise NotAuthenticated
        if self._scope is None or self._scope not in found[1]:
            raise Forbidden
        return f"key:{found[0]}"


Admin = Annotated[Actor, Depends(StaffGuard(None))]
ActingAdmin = Annotated[Actor, Depends(StaffGuard(None, acts=True))]
SessionReader = Annotated[Actor, Depends(StaffGuard("sessions:read"))]
SessionRevoker = Annotated[Actor, Depends(StaffGuard("sessions:revoke", acts=True))]
UserReader = Annotated[Actor, Depends(StaffGuard("users:read"))]
AuditReader = Annotated[Actor, Depends(StaffGuard("audit:read"))]
