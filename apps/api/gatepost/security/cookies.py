"""Session cookies, and the origins whose pages may use them (protection against cross-site request forgery)."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import HTTPConnection
from starlette.responses import Response

from gatepost.errors import CsrfFailed, NotAuthenticated
from gatepost.settings import Settings, origin_of

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Cookies:
    """The token cookies of one Gatepost: HttpOnly, SameSite=Lax, Path=/; over https also Secure and `__Host-`."""

    def __init__(self, settings: Settings) -> None:
        prefix = "__Host-" if settings.secure_cookies else ""
        self._secure = settings.secure_cookies
        self.access = prefix + settings.cookie_name
        self.refresh = f"{prefix}{settings.cookie_name}_refresh"

    def set(self, response: Response, access_token: str, refresh_token: str, expires_at: datetime) -> None:
        """Set both tokens until the session expires, so that an expired access token differs from a missing one."""
        for name, value in ((self.access, access_token), (self.refresh, refresh_token)):
            response.set_cookie(
                name, value, expires=expires_at, path="/", secure=self._secure, httponly=True, samesite="lax"
            )

    def are_in(self, connection: HTTPConnection) -> bool:
        """Return whether a request has any of the cookies."""
        return self.access in connection.cookies or self.refresh in connection.cookies

    def clear(self, response: Response) -> None:
        """Delete both cookies."""
        for name in (self.access, self.refresh):
            response.delete_cookie(name, path="/", secure=self._secure, httponly=True, samesite="lax")


class Origins:
    """The origins whose pages may use cookies for unsafe requests: the service's own and the allowed ones."""

    def __init__(self, settings: Settings) -> None:
        self._own = origin_of(settings.public_url) if settings.public_url else None
        self._allowed = frozenset(settings.allowed_origins)

    def check(self, connection: HTTPConnection) -> None:
        """Let a request pass only if it comes from an allowed page (OWASP ASVS 3.5.1; Fetch Metadata).

        Raises:
            CsrfFailed: it comes from another origin, or has no header that shows its origin.
        """
        origin = connection.headers.get("origin")
        if origin is None:
            if connection.headers.get("sec-fetch-site") == "same-origin":
                return
        elif origin in self._allowed or self._is_own(origin, connection):
            return
        raise CsrfFailed

    def _is_own(self, origin: str, connection: HTTPConnection) -> bool:
        if self._own is not None:
            return origin == self._own
        host = connection.headers.get("host", "")
        return bool(host) and origin in (f"http://{host}", f"https://{host}")


def bearer_token(connection: HTTPConnection) -> str | None:
    """Return the token of an `Authorization: Bearer` header; empty if the header has none, None without the header."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def read_access_token(connection: HTTPConnection, cookies: Cookies, origins: Origins) -> str:
    """Return the access token of a request. A bearer header wins over a cookie, without fallback (RFC 6750, 2.1).

    Raises:
        NotAuthenticated: there is none.
        CsrfFailed: an unsafe request by cookie does not come from an allowed page.
    """
    token = bearer_token(connection)
    if token is not None:
        if not token:
            raise NotAuthenticated
        return token
    cookie = connection.cookies.get(cookies.access)
    if not cookie:
        raise NotAuthenticated
    if connection.scope.get("method", "GET") not in _SAFE_METHODS:
        origins.check(connection)
    return cookie
