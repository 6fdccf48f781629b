"""The guard: the session check on every request, in any FastAPI route, ours or a host's."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated

from asyncpg import Record
from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from gatepost.errors import (
    ReauthenticationRequired,
    Refusal,
    ServiceUnavailable,
    SessionExpired,
    SessionIdle,
    SessionRevoked,
    TokenInvalid,
    Unauthorized,
)
from gatepost.http import dependencies as deps
from gatepost.http import problems as http
from gatepost.security.cookies import read_access_token
from gatepost.sessions import store
from gatepost.sessions.models import EndReason, Session
from gatepost.sessions.policy import STEP_UP_AGE

_REASONS: dict[EndReason, str] = {
    "signed_out": "You signed out on this device.",
    "signed_out_elsewhere": "This device was signed out from another device.",
    "signed_out_by_admin": "This device was signed out by an administrator.",
    "evicted": "This device was signed out because you signed in on too many others.",
    "password_changed": "This device was signed out because your password was changed.",
    "refresh_token_reused": "This device was signed out because its sign-in was used in two places.",
    "not_me": "This device was signed out because its sign-in was reported.",
}


class SessionGuard(SecurityBase):
    """A dependency that lets a request pass only with a live session, and returns that session.

    Bearer header or cookie. One indexed read of the database per request, so that a session ended anywhere is refused
    at its next call (OWASP ASVS 7.4.1).

    Raises:
        Unauthorized: no token, a wrong or an expired one, or a session that ended; `reason` says why.
        CsrfFailed: an unsafe request by cookie that none of our pages made.
        ServiceUnavailable: the database cannot be reached; nobody is waved through.
    """

    def __init__(self, mount: str | None = None) -> None:
        """Guard with the Gatepost mounted under this name; with None, with the only one there is."""
        self._mount = mount
        self.model = HTTPBearer(bearerFormat="JWT")
        self.scheme_name = "AccessToken"

    async def __call__(self, request: Request) -> Session:
        """Return the session of a request."""
        http.answer_in_host(request)
        runtime = deps.find_runtime(request, self._mount)
        started = time.perf_counter()
        try:
            return await self._check(request, runtime)
        except Refusal as refusal:
            http.count_refusal(request, refusal, runtime.metrics)
            raise
        finally:
            runtime.metrics.guarded(time.perf_counter() - started)

    async def _check(self, request: Request, runtime: deps.Runtime) -> Session:
        settings = runtime.settings
        token = read_access_token(request, runtime.cookies, runtime.origins)
        claims = await runtime.access_tokens.verify(token)
        row = await store.read_session(runtime.reader, settings, claims.session_id)
        if row is None or row["user_id"] != claims.user_id:
            raise TokenInvalid
        await _note(runtime, row, request)
        if row["state"] is not None:
            raise ended(row["state"])
        return Session.from_row(
            row,
            idle_timeout=settings.idle_timeout,
            places=runtime.places,
            current_id=claims.session_id,
            claims=claims.raw,
        )


require_session = SessionGuard()

CurrentSession = Annotated[Session, Depends(require_session)]


async def require_recent_session(request: Request, session: CurrentSession) -> Session:
    """Let a request pass only if the person showed their password lately.

    Raises:
        ReauthenticationRequired: they did not; `POST /v1/auth/reauthenticate` makes it so.
    """
    try:
        demand_recent(session)
    except ReauthenticationRequired as refusal:
        http.count_refusal(request, refusal, deps.find_runtime(request).metrics)
        raise
    return session


RecentSession = Annotated[Session, Depends(require_recent_session)]


def demand_recent(session: Session) -> None:
    """Refuse a session whose person has not shown their password lately."""
    if datetime.now(UTC) - session.authenticated_at > STEP_UP_AGE:
        raise ReauthenticationRequired


def ended(reason: EndReason) -> Refusal:
    """Return the refusal for a session that ended for this reason."""
    refusals: dict[EndReason, type[Unauthorized]] = {"idle": SessionIdle, "expired": SessionExpired}
    return refusals.get(reason, SessionRevoked)(_REASONS.get(reason), reason=reason)


async def _note(runtime: deps.Runtime, row: Record, request: Request) -> None:
    """Write down what the read showed. The read decides; where nothing can be written, the next request will."""
    with suppress(ServiceUnavailable):
        if row["state"] is None and row["is_due"]:
            address = deps.client_address(request, runtime)
            await store.touch_session(runtime.database, runtime.settings, row["id"], address)
        elif row["state"] is not None and row["ended_at"] is None:
            await store.end_lapsed_session(runtime.database, runtime.settings, row["id"])
