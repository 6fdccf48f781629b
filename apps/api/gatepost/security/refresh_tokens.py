"""Refresh tokens: a session's id and a random part, under a MAC.

The database keeps the hash of the current one alone. The MAC tells an old token of ours, whose reuse ends the session,
from a made-up one that merely names the session and must end nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from uuid import UUID

from gatepost.errors import TokenInvalid
from gatepost.security import crypto as vault

_PREFIX = "gpr_"
_ID_BYTES = 16
_RANDOM_BYTES = 34
_MAC_BYTES = 16
# 66 bytes divide by three: base64 has no padding and no spare bits, so a token has one spelling.
_TOKEN_CHARACTERS = len(_PREFIX) + (_ID_BYTES + _RANDOM_BYTES + _MAC_BYTES) // 3 * 4


class RefreshTokens:
    """Mints and reads the refresh tokens of one secret key."""

    def __init__(self, secret: bytes) -> None:
        self._key = vault.derive(secret, "refresh tokens")

    def mint(self, session_id: UUID) -> str:
        """Return a new token for a session."""
        body = session_id.bytes + secrets.token_bytes(_RANDOM_BYTES)
        return _PREFIX + base64.urlsafe_b64encode(body + self._mac(body)).decode()

    def read(self, token: str) -> UUID:
        """Return the session that a token was minted for; whether it is current, the database knows.

        Raises:
            TokenInvalid: we did not mint it.
        """
        if len(token) != _TOKEN_CHARACTERS or not token.startswith(_PREFIX) or not token.isascii():
            raise TokenInvalid
        try:
            raw = base64.b64decode(token.removeprefix(_PREFIX), altchars=b"-_", validate=True)
        except binascii.Error:
            raise TokenInvalid from None
        # The decoder takes + and / for - and _ too.
        if base64.urlsafe_b64encode(raw).decode() != token.removeprefix(_PREFIX):
            raise TokenInvalid
        body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(body)):
            raise TokenInvalid
        return UUID(bytes=body[:_ID_BYTES])

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, "sha256")[:_MAC_BYTES]


def digest(token: str) -> bytes:
    """Return the hash that is kept of a token (SHA-256: a token is random, so nothing slower is needed)."""
    return hashlib.sha256(token.encode()).digest()


def seal_successor(token: str, successor: str) -> bytes:
    """Seal a token's successor so that only who has the token can open it."""
    return vault.seal(vault.derive(token.encode(), "refresh successor"), successor.encode())


def open_successor(token: str, sealed: bytes) -> str:
    """Return the successor that was sealed under a token."""
    return vault.unseal(vault.derive(token.encode(), "refresh successor"), sealed).decode()
