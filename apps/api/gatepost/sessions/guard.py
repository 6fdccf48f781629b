"""The guard: the session check on every request, in any FastAPI route, Gatepost's own or a host's."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

from asyncpg import Record
from fastapi import Depends
from fastapi.openapi.models import HTTPBearer
from starlette.requests import HTTPConnection

from gatepost.errors import ApiError, ReauthenticationRequired, ServiceUnavailable, TokenInvalid
from gatepost.http import Guard, count_error, find_runtime, install_problem_handler, request_ip
from gatepost.security import read_access_token
from gatepost.sessions.models import Session, set_locations
from gatepost.sessions.service import ended_error, require_recent

if TYPE_CHECKING:
    from gatepost.runtime import Runtime


class SessionGuard(Guard):
    """A dependency that lets a request or WebSocket pass only with an active session, and returns that session.

    The token comes from the bearer header or the cookie. The session is read from the database on each request, by one
    index lookup, so that a revoked session is rejected on its next request (OWASP ASVS 7.4.1). A WebSocket is rejected
    before it is accepted: with the problem as its HTTP response where the server can, else by closing it (code 1008).

    Raises:
        Unauthorized: the token is missing, invalid or expired, or the session has ended; `reason` says why.
        CsrfFailed: an unsafe request or a WebSocket by cookie does not come from an allowed page.
        ServiceUnavailable: the database cannot be reached. No request passes unchecked.
    """

    def __init__(self, mount: str | None = None) -> None:
        """Use the mount with a key; without a key, the only one in the app."""
        self._mount = mount
        self.model = HTTPBearer(bearerFormat="JWT")
        self.scheme_name = "AccessToken"

    async def __call__(self, connection: HTTPConnection) -> Session:
        """Return the session of a request."""
        earlier: Session | None = self.earlier_result(connection)
        if earlier is not None:
            return earlier
        install_problem_handler(connection)
        runtime = find_runtime(connection, self._mount)
        started = time.perf_counter()
        try:
            return await self._check(connection, runtime)
        except ApiError as error:
            count_error(connection, error, runtime.metrics)
            raise
        finally:
            runtime.metrics.observe_guard(time.perf_counter() - started)

    async def _check(self, connection: HTTPConnection, runtime: Runtime) -> Session:
        token = read_access_token(connection, runtime.cookies, runtime.origins)
        claims = await runtime.access_tokens.verify(token)
        row = await runtime.sessions.read_session(runtime.reader, claims.session_id)
        if row is None or row["user_id"] != claims.user_id:
            raise TokenInvalid
        await _record(runtime, row, connection)
        if row["state"] is not None:
            raise ended_error(row["state"])
        session = Session.from_row(
            row, idle_timeout=runtime.sessions.idle_timeout, current_id=claims.session_id, claims=claims.raw
        )
        set_locations(runtime.geoip, [session])
        return session


async def _record(runtime: Runtime, row: Record, connection: HTTPConnection) -> None:
    """Record activity or an expiry that the read showed. If that fails, a later request records it."""
    with suppress(ServiceUnavailable):
        if row["state"] is None and row["is_due"]:
            await runtime.sessions.touch_session(runtime.database, row["id"], request_ip(connection, runtime))
        elif row["state"] is not None and row["ended_at"] is None:
            await runtime.sessions.expire_session(runtime.database, row["id"])


require_session = SessionGuard()

CurrentSession = Annotated[Session, Depends(require_session)]


async def require_recent_session(connection: HTTPConnection, session: CurrentSession) -> Session:
    """Let a request pass only if the user entered their password recently.

    Raises:
        ReauthenticationRequired: they did not. `POST /v1/auth/reauthenticate` with the password, then try again.
    """
    try:
        require_recent(session)
    except ReauthenticationRequired as error:
        count_error(connection, error, find_runtime(connection).metrics)
        raise
    return session


RecentSession = Annotated[Session, Depends(require_recent_session)]
