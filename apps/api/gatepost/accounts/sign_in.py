"""Signing in and out: a session for a user, with its tokens in the response body or in cookies."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from gatepost.accounts import store
from gatepost.accounts.models import Login, Register, SignIn, Transport, User
from gatepost.db import Connection
from gatepost.errors import ApiError, CsrfFailed, NotAuthenticated, RefreshTokenReused, TokenInvalid
from gatepost.http import preferred_language, request_ip
from gatepost.security import bearer_token, read_cookie
from gatepost.sessions import OpenedSession, RefreshedSession, Session, ended_error, set_locations, sign_out_session

if TYPE_CHECKING:
    from gatepost.runtime import Runtime


class SignInFlow:
    """Opens, refreshes and ends the session of one request, whose tokens travel in bodies or in cookies."""

    def __init__(self, runtime: Runtime, request: Request, response: Response) -> None:
        self._runtime = runtime
        self._request = request
        self._response = response

    def check_origin(self, transport: Transport) -> None:
        """Require that a page that asks for cookies is allowed to use them.

        Raises:
            CsrfFailed: the request comes from another origin, or does not show its origin.
        """
        if transport == "cookie":
            self._runtime.origins.check(self._request)

    def is_known_to(self, user: User) -> bool:
        """Return whether a user has signed in on this browser before."""
        return self._runtime.known_devices.is_known(self._request, user.id, user.password_changed_at)

    async def open(self, connection: Connection, user: User, form: Login | Register) -> SignIn:
        """Open a session for a user and return its tokens.

        With cookies, the session that this browser had before is ended (OWASP ASVS 7.2.4).
        """
        runtime, request = self._runtime, self._request
        by_cookie = form.transport == "cookie"
        opened = await runtime.sessions.open_session(
            connection,
            user_id=user.id,
            name=form.device_name,
            user_agent=request.headers.get("user-agent"),
            ip=request_ip(request, runtime),
            replaced_id=self._session_of_refresh_cookie() if by_cookie else None,
            known_device=self.is_known_to(user),
        )
        language = preferred_language(request.headers.get("accept-language"))
        await store.update_language(connection, user.id, language)
        if by_cookie:
            runtime.known_devices.remember(request, self._response, user.id, user.password_changed_at)
        return self._sign_in(user, opened, form.transport, opened.evicted)

    async def refresh(self, token: str | None) -> SignIn:
        """Exchange a refresh token, from the body or the cookie, for new tokens.

        Raises:
            NotAuthenticated: there is none.
            RefreshTokenReused: it was used before; its session has been revoked.
            Unauthorized: it is invalid, or its session has ended; `reason` says why.
        """
        transport: Transport = "bearer" if token else "cookie"
        token = token or self._refresh_cookie()
        runtime = self._runtime
        async with runtime.database.transaction() as connection:
            refreshed = await runtime.sessions.refresh_session(connection, token, request_ip(self._request, runtime))
            found = await store.read_user(connection, refreshed.session.user_id) if refreshed else None
        # Only after the commit: an error must not undo the revocation of a stolen session.
        if refreshed is None or found is None:
            raise TokenInvalid
        if refreshed.outcome == "reused":
            runtime.metrics.count_revocations("refresh_token_reused")
            raise RefreshTokenReused(reason="refresh_token_reused")
        if refreshed.session.end_reason is not None:
            raise ended_error(refreshed.session.end_reason)
        return self._sign_in(found.user, refreshed, transport, [])

    async def sign_out(self, token: str | None) -> None:
        """End the session of a refresh token, or else of the bearer token, or else of the refresh cookie."""
        session_id = await self._session_to_end(token)
        if session_id is not None:
            async with self._runtime.database.transaction() as connection:
                ended = await sign_out_session(connection, session_id)
            self._runtime.metrics.count_revocations("signed_out", int(ended))
        # Not for a request without cookies: with it another site's form could sign the browser out.
        if self._runtime.cookies.are_in(self._request):
            self._runtime.cookies.clear(self._response)

    async def find_session_id(self) -> UUID | None:
        """Return the id of the session that the request comes from, by bearer token or refresh cookie, or None.

        The caller checks whether the session is active.

        Raises:
            TokenExpired: the bearer token has expired: refresh it and try again.
        """
        access_token = bearer_token(self._request)
        if access_token is not None:
            try:
                return (await self._runtime.access_tokens.verify(access_token)).session_id
            except TokenInvalid:
                return None
        # By the refresh cookie, because the access cookie may have expired. Ignored if another site sent the request.
        with suppress(CsrfFailed, NotAuthenticated, TokenInvalid):
            return self._runtime.refresh_tokens.verify(self._refresh_cookie())
        return None

    def _sign_in(
        self, user: User, opened: OpenedSession | RefreshedSession, transport: Transport, evicted: list[Session]
    ) -> SignIn:
        runtime, session = self._runtime, opened.session
        access_token = runtime.access_tokens.issue(user.id, session.id, _claims(user, session))
        by_cookie = transport == "cookie"
        if by_cookie:
            runtime.cookies.set(self._response, access_token, opened.refresh_token, session.expires_at)
        set_locations(runtime.geoip, [session, *evicted])
        return SignIn(
            access_token=None if by_cookie else access_token,
            expires_in=int(runtime.access_tokens.lifetime.total_seconds()),
            refresh_token=None if by_cookie else opened.refresh_token,
            session=session,
            evicted=evicted,
        )

    def _refresh_cookie(self) -> str:
        cookie = read_cookie(self._request, self._runtime.cookies.refresh)
        if not cookie:
            raise NotAuthenticated
        self._runtime.origins.check(self._request)
        return cookie

    def _session_of_refresh_cookie(self) -> UUID | None:
        cookie = read_cookie(self._request, self._runtime.cookies.refresh)
        if cookie:
            with suppress(TokenInvalid):
                return self._runtime.refresh_tokens.verify(cookie)
        return None

    async def _session_to_end(self, token: str | None) -> UUID | None:
        with suppress(TokenInvalid):
            if token:
                return self._runtime.refresh_tokens.verify(token)
        with suppress(ApiError):
            if access_token := bearer_token(self._request):
                return (await self._runtime.access_tokens.verify(access_token)).session_id
        with suppress(NotAuthenticated, TokenInvalid):
            return self._runtime.refresh_tokens.verify(self._refresh_cookie())
        return None


def _claims(user: User, session: Session) -> dict[str, Any]:
    """Return the claims that Supabase Auth's access tokens have too."""
    return {
        "aal": "aal1",
        "amr": [{"method": "password", "timestamp": int(session.authenticated_at.timestamp())}],
        "email": user.email,
        "app_metadata": {"provider": "email", "providers": ["email"], "role": user.role},
        "user_metadata": user.user_metadata,
        "is_anonymous": False,
    }
