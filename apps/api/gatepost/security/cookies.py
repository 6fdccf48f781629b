"""How tokens travel: in a bearer header, or in cookies that only our own pages may use for writing."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import HTTPConnection
from starlette.responses import Response

from gatepost.errors import CsrfFailed, NotAuthenticated
from gatepost.settings import Settings, origin_of

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Cookies:
    """The cookies of one Gatepost: HttpOnly, SameSite=Lax, Path=/; with https also Secure and `__Host-`."""

    def __init__(self, settings: Settings) -> None:
        prefix = "__Host-" if settings.secure_cookies else ""
        self._secure = settings.secure_cookies
        self.access = prefix + settings.cookie_name
        self.refresh = f"{prefix}{settings.cookie_name}_refresh"

    def set(self, response: Response, access_token: str, refresh_token: str, expires_at: datetime) -> None:
        """Give a browser its tokens until the session expires (an expired access token is told apart from none)."""
        for name, value in ((self.access, access_token), (self.refresh, refresh_token)):
            response.set_cookie(
                name, value, expires=expires_at, path="/", secure=self._secure, httponly=True, samesite="lax"
            )

    def are_in(self, connection: HTTPConnection) -> bool:
        """Tell whether a request brought any of them."""
        return self.access in connection.cookies or self.refresh in connection.cookies

    def clear(self, response: Response) -> None:
        """Take the tokens back."""
        for name in (self.access, self.refresh):
            response.delete_cookie(name, path="/", secure=self._secure, httponly=True, samesite="lax")


class Origins:
    """The origins whose pages may use cookies for writing: ours and those that are allowed."""

    def __init__(self, settings: Settings) -> None:
        self._ours = origin_of(settings.public_url) if settings.public_url else None
        self._allowed = frozenset(settings.allowed_origins)

    def check(self, connection: HTTPConnection) -> None:
        """Refuse a request that no page of ours made (OWASP ASVS 3.5.1; Fetch Metadata).

        Raises:
            CsrfFailed: another origin, or nothing that shows one.
        """
        origin = connection.headers.get("origin")
        if origin is None:
            if connection.headers.get("sec-fetch-site") == "same-origin":
                return
        elif origin in self._allowed or self._is_ours(origin, connection):
            return
        raise CsrfFailed

    def _is_ours(self, origin: str, connection: HTTPConnection) -> bool:
        if self._ours is not None:
            return origin == self._ours
        host = connection.headers.get("host", "")
        return bool(host) and origin in (f"http://{host}", f"https://{host}")


def read_access_token(connection: HTTPConnection, cookies: Cookies, origins: Origins) -> str:
    """Return the access token of a request. A bearer header wins over a cookie, without falling back (RFC 6750, 2.1).

    Raises:
        NotAuthenticated: there is none.
        CsrfFailed: an unsafe request by cookie that no page of ours made.
    """
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        if not token.strip():
            raise NotAuthenticated
        return token.strip()
    cookie = connection.cookies.get(cookies.access)
    if not cookie:
        raise NotAuthenticated
    if connection.scope.get("method", "GET") not in _SAFE_METHODS:
        origins.check(connection)
    return cookie
