"""The cookie by which a browser is known to somebody: a sign-in there is no news."""

from __future__ import annotations

import base64
import hashlib
import hmac

from starlette.requests import HTTPConnection
from starlette.responses import Response

from gatepost.accounts.models import Person
from gatepost.security import crypto as vault
from gatepost.settings import Settings

# People who share a browser; 400 days is the longest that browsers keep a cookie (RFC 6265bis, 5.5).
_PEOPLE = 5
_SECONDS = 400 * 86400


class KnownDevices:
    """Marks browsers, by a MAC for each person; a new password makes every browser unknown."""

    def __init__(self, secret: bytes, settings: Settings) -> None:
        self._key = vault.derive(secret, "known devices")
        self._secure = settings.secure_cookies
        self._cookie = f"{'__Host-' if self._secure else ''}{settings.cookie_name}_device"

    def knows(self, connection: HTTPConnection, person: Person) -> bool:
        """Tell whether somebody has signed in on this browser before."""
        mark = self._mark(person)
        return any(hmac.compare_digest(mark.encode(), there.encode()) for there in self._marks(connection))

    def remember(self, connection: HTTPConnection, response: Response, person: Person) -> None:
        """Know this browser from now on."""
        mark = self._mark(person)
        marks = [mark, *(there for there in self._marks(connection) if there != mark)][:_PEOPLE]
        response.set_cookie(
            self._cookie, ".".join(marks), _SECONDS, path="/", secure=self._secure, httponly=True, samesite="lax"
        )

    def _marks(self, connection: HTTPConnection) -> list[str]:
        return [mark for mark in connection.cookies.get(self._cookie, "")[:500].split(".") if mark]

    def _mark(self, person: Person) -> str:
        whom = f"{person.id}/{person.password_changed_at.timestamp()}"
        mac = hmac.new(self._key, whom.encode(), hashlib.sha256).digest()[:15]
        return base64.urlsafe_b64encode(mac).decode()
