"""Signing in: a session opened for a person, and its tokens handed out the way they asked for."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import Response

from gatepost.accounts import store as accounts
from gatepost.accounts.models import Login, Person, Register, SignIn, Transport
from gatepost.db.pool import Connection
from gatepost.errors import NotAuthenticated, RefreshTokenReused, Refusal, TokenInvalid
from gatepost.http import dependencies as deps
from gatepost.http.accept_language import preferred
from gatepost.security.access_tokens import Claims
from gatepost.security.refresh_tokens import digest, open_successor, seal_successor
from gatepost.sessions import store as sessions
from gatepost.sessions.device import parse_device
from gatepost.sessions.guard import ended
from gatepost.sessions.models import Session


class Desk:
    """Serves one request: it knows who asks, from where, and where the cookies of the answer go."""

    def __init__(self, runtime: deps.Runtime, request: Request, response: Response) -> None:
        self._runtime = runtime
        self._request = request
        self._response = response

    async def open(self, connection: Connection, person: Person, form: Login | Register) -> SignIn:
        """Open a session for a person, evicting the oldest above the cap, and hand out its tokens.

        A browser that signs in again replaces its session, the one it had is ended (OWASP ASVS 7.2.4).
        """
        runtime = self._runtime
        session_id = uuid4()
        refresh_token = runtime.refresh_tokens.mint(session_id)
        session, evicted = await sessions.open_session(
            connection,
            runtime.settings,
            runtime.places,
            session_id=session_id,
            user_id=person.id,
            token_hash=digest(refresh_token),
            name=form.device_name,
            device=parse_device(self._request.headers.get("user-agent")),
            ip=deps.client_address(self._request, runtime),
            replaced_id=self._replaced() if form.transport == "cookie" else None,
            known_device=runtime.known_devices.knows(self._request, person),
        )
        await accounts.note_language(connection, person.id, preferred(self._request.headers.get("accept-language")))
        if form.transport == "cookie":
            runtime.known_devices.remember(self._request, self._response, person)
        return self._hand_out(person, session, refresh_token, form.transport, evicted)

    async def refresh(self, token: str | None) -> SignIn:
        """Exchange a refresh token, given or from the cookie, for new tokens.

        Raises:
            NotAuthenticated: there is none.
            RefreshTokenReused: it was used before; its session has been ended.
            Unauthorized: it is none of ours, or its session is over; `reason` says why.
        """
        transport: Transport = "bearer" if token else "cookie"
        token = token or self._refresh_cookie()
        runtime = self._runtime
        session_id = runtime.refresh_tokens.read(token)
        successor = runtime.refresh_tokens.mint(session_id)
        async with runtime.database.transaction() as connection:
            refreshed = await sessions.refresh_session(
                connection,
                runtime.settings,
                runtime.places,
                session_id=session_id,
                token_hash=digest(token),
                successor_hash=digest(successor),
                successor_sealed=seal_successor(token, successor),
                ip=deps.client_address(self._request, runtime),
            )
            session = refreshed.session
            person = await accounts.read_person(connection, session.user_id) if session else None
        # Only here, after the commit: a refusal must not undo the end of a stolen session.
        if session is None or person is None:
            raise TokenInvalid
        if refreshed.outcome == "reused":
            runtime.metrics.revoked("refresh_token_reused")
            raise RefreshTokenReused(reason="refresh_token_reused")
        if session.end_reason is not None:
            raise ended(session.end_reason)
        if refreshed.sealed is not None:
            successor = open_successor(token, refreshed.sealed)
        return self._hand_out(person[0], session, successor, transport, [])

    async def log_out(self, token: str | None) -> None:
        """End the session of a refresh token, of the bearer's access token or of the cookies, whichever there is."""
        session_id = await self._session_to_end(token)
        if session_id is not None:
            async with self._runtime.database.transaction() as connection:
                ended_now = await sessions.sign_out_session(connection, session_id)
            self._runtime.metrics.revoked("signed_out", int(ended_now))
        # Not for a request that brought none: another site's form would sign the browser out by it.
        if self._runtime.cookies.are_in(self._request):
            self._runtime.cookies.clear(self._response)

    def demand_own_page(self, transport: Transport) -> None:
        """Refuse to set cookies for a page that is not ours.

        Raises:
            CsrfFailed: the request came from elsewhere, or does not show where from.
        """
        if transport == "cookie":
            self._runtime.origins.check(self._request)

    def _hand_out(
        self, person: Person, session: Session, refresh_token: str, transport: Transport, evicted: list[Session]
    ) -> SignIn:
        runtime = self._runtime
        access_token = runtime.access_tokens.issue(person, session)
        by_cookie = transport == "cookie"
        if by_cookie:
            runtime.cookies.set(self._response, access_token, refresh_token, session.expires_at)
        return SignIn(
            access_token=None if by_cookie else access_token,
            expires_in=int(runtime.settings.access_token_ttl.total_seconds()),
            refresh_token=None if by_cookie else refresh_token,
            session=session,
            evicted=evicted,
        )

    def _refresh_cookie(self) -> str:
        cookie = self._request.cookies.get(self._runtime.cookies.refresh)
        if not cookie:
            raise NotAuthenticated
        self._runtime.origins.check(self._request)
        return cookie

    def _replaced(self) -> UUID | None:
        cookie = self._request.cookies.get(self._runtime.cookies.refresh)
        if cookie:
            with suppress(TokenInvalid):
                return self._runtime.refresh_tokens.read(cookie)
        return None

    async def _session_to_end(self, token: str | None) -> UUID | None:
        with suppress(TokenInvalid):
            if token:
                return self._runtime.refresh_tokens.read(token)
        claims = await self._claims()
        if claims is not None:
            return claims.session_id
        with suppress(NotAuthenticated, TokenInvalid):
            return self._runtime.refresh_tokens.read(self._refresh_cookie())
        return None

    async def _claims(self) -> Claims | None:
        header = self._request.headers.get("authorization", "")
        if not header.lower().startswith("bearer "):
            return None
        try:
            return await self._runtime.access_tokens.verify(header[7:].strip())
        except Refusal:
            return None
