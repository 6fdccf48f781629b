"""The cookie that marks a browser as known to a user, so that signing in there again sends no notification."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from starlette.requests import HTTPConnection
from starlette.responses import Response

from gatepost.security import crypto
from gatepost.security.cookies import read_cookie
from gatepost.settings import Settings

# Users who share a browser.
_MAX_USERS = 5
# 400 days is the longest that browsers keep a cookie (RFC 6265bis, 5.5).
_MAX_AGE_SECONDS = 400 * 86400


class KnownDevices:
    """Marks browsers with a MAC for each user. A new password makes every browser unknown."""

    def __init__(self, secrets: Sequence[bytes], settings: Settings) -> None:
        self._keys = crypto.derive_keys(secrets, "known devices")
        self._secure = settings.secure_cookies
        self._cookie = f"{'__Host-' if self._secure else ''}{settings.cookie_name}_device"

    def is_known(self, connection: HTTPConnection, user_id: UUID, password_changed_at: datetime) -> bool:
        """Return whether a user has signed in on this browser before."""
        marks = self._own_marks(user_id, password_changed_at)
        found = self._marks(connection)
        return any(hmac.compare_digest(mark.encode(), each.encode()) for mark in marks for each in found)

    def remember(
        self, connection: HTTPConnection, response: Response, user_id: UUID, password_changed_at: datetime
    ) -> None:
        """Mark this browser as known to a user."""
        own = self._own_marks(user_id, password_changed_at)
        marks = [own[0], *(each for each in self._marks(connection) if each not in own)][:_MAX_USERS]
        response.set_cookie(
            self._cookie,
            ".".join(marks),
            _MAX_AGE_SECONDS,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )

    def _marks(self, connection: HTTPConnection) -> list[str]:
        return [mark for mark in (read_cookie(connection, self._cookie) or "")[:500].split(".") if mark]

    def _own_marks(self, user_id: UUID, password_changed_at: datetime) -> list[str]:
        message = f"{user_id}/{password_changed_at.timestamp()}".encode()
        macs = (hmac.digest(key, message, "sha256")[:15] for key in self._keys)
        return [base64.urlsafe_b64encode(mac).decode() for mac in macs]
