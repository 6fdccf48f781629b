"""Session cookies, and the origins whose pages may use them (protection against cross-site request forgery)."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import HTTPConnection
from starlette.responses import Response

from gatepost.errors import CsrfFailed, NotAuthenticated
from gatepost.security.hosts import Hosts
from gatepost.settings import Settings, origin_of

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# RFC 6265, 4.1.1: cookie-octet, without the quotes that may surround a value. We never set one with quotes.
_OCTETS = bytes(each for each in range(0x21, 0x7F) if each not in b'",;\\')
_WHITE_SPACE = b" \t"
# Browsers send less, and servers that limit headers accept less.
_MAX_HEADER_BYTES = 64 * 1024


def read_cookie(connection: HTTPConnection, name: str) -> str | None:
    r"""Return the value of one of our cookies, or None if the request does not have exactly one of that exact name.

    The header is read byte by byte (RFC 6265, 4.2.1 and 5.4), never by a general parser: those also strip characters
    that browsers keep, so that `\xa0__Host-gatepost`, which any site below the same domain can set, would be read as
    `__Host-gatepost`, which only we can set (OWASP ASVS 3.3.3). A browser never sends two cookies with the `__Host-`
    prefix and one name, and of two cookies without it, one is not ours: neither is used.
    """
    wanted = name.encode()
    found: bytes | None = None
    for header, value in connection.scope["headers"]:
        if header != b"cookie" or wanted not in value:
            continue
        if len(value) > _MAX_HEADER_BYTES:
            return None
        for pair in value.split(b";"):
            key, separator, text = pair.partition(b"=")
            if not separator or key.strip(_WHITE_SPACE) != wanted:
                continue
            if found is not None:
                return None
            found = text.strip(_WHITE_SPACE)
    return None if found is None or found.translate(None, _OCTETS) else found.decode()


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
        return any(read_cookie(connection, name) is not None for name in (self.access, self.refresh))

    def clear(self, response: Response) -> None:
        """Delete both cookies."""
        for name in (self.access, self.refresh):
            response.delete_cookie(name, path="/", secure=self._secure, httponly=True, samesite="lax")


class Origins:
    """The origins whose pages may use cookies for unsafe requests: the service's own and the allowed ones.

    Without `PUBLIC_URL`, the host of the request is the service's own, if it is one of the allowed hosts.
    """

    def __init__(self, settings: Settings) -> None:
        self._own = origin_of(settings.public_url) if settings.public_url else None
        self._allowed = frozenset(settings.allowed_origins)
        self._hosts = Hosts(settings)

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
        return self._hosts.allow(connection) and origin in (f"http://{host}", f"https://{host}")


def bearer_token(connection: HTTPConnection) -> str | None:
    """Return the token of an `Authorization: Bearer` header; empty if the header has none, None without the header."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def read_access_token(connection: HTTPConnection, cookies: Cookies, origins: Origins) -> str:
    """Return the access token of a request. A bearer header wins over a cookie, without fallback (RFC 6750, 2.1).

    Raises:
        NotAuthenticated: there is none.
        CsrfFailed: an unsafe request or a WebSocket by cookie does not come from an allowed page.
    """
    token = bearer_token(connection)
    if token is not None:
        if not token:
            raise NotAuthenticated
        return token
    cookie = read_cookie(connection, cookies.access)
    if not cookie:
        raise NotAuthenticated
    # Any page can open a WebSocket to any origin, and the browser adds the cookies (RFC 6455, 10.2).
    if connection.scope["type"] == "websocket" or connection.scope["method"] not in _SAFE_METHODS:
        origins.check(connection)
    return cookie
