"""Refresh tokens: a session's id and a random part, authenticated by a MAC.

The database holds only the hash of the current one. The MAC distinguishes an old genuine token, whose
reuse revokes the session, from a forged one, which must change nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets as random
from collections.abc import Sequence
from uuid import UUID

from gatepost.errors import TokenInvalid
from gatepost.security import crypto

_PREFIX = "gpr_"
_ID_BYTES = 16
_RANDOM_BYTES = 34
_MAC_BYTES = 16
# 66 bytes are divisible by three: base64 has no padding and no unused bits, so a token has exactly one form.
_TOKEN_CHARACTERS = len(_PREFIX) + (_ID_BYTES + _RANDOM_BYTES + _MAC_BYTES) // 3 * 4


class RefreshTokens:
    """Creates refresh tokens by the newest secret key, and verifies those of all of them."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._keys = crypto.derive_keys(secrets, "refresh tokens")

    def create(self, session_id: UUID) -> str:
        """Return a new token for a session."""
        body = session_id.bytes + random.token_bytes(_RANDOM_BYTES)
        return _PREFIX + base64.urlsafe_b64encode(body + _mac(self._keys[0], body)).decode()

    def verify(self, token: str) -> UUID:
        """Return the id of a token's session. Only the database shows whether the token is the current one.

        Raises:
            TokenInvalid: the token was created with none of the secret keys.
        """
        if len(token) != _TOKEN_CHARACTERS or not token.startswith(_PREFIX) or not token.isascii():
            raise TokenInvalid
        try:
            raw = base64.b64decode(token.removeprefix(_PREFIX), altchars=b"-_", validate=True)
        except binascii.Error:
            raise TokenInvalid from None
        # The decoder also accepts + and / for - and _.
        if base64.urlsafe_b64encode(raw).decode() != token.removeprefix(_PREFIX):
            raise TokenInvalid
        body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if not any(hmac.compare_digest(mac, _mac(key, body)) for key in self._keys):
            raise TokenInvalid
        return UUID(bytes=body[:_ID_BYTES])


def hash_refresh_token(token: str) -> bytes:
    """Return the hash of a token that the database holds (SHA-256: a token is random, so no slower hash is needed)."""
    return hashlib.sha256(token.encode()).digest()


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")[:_MAC_BYTES]


def encrypt_successor(token: str, successor: str) -> bytes:
    """Encrypt a token's successor so that only the holder of the token can decrypt it."""
    return crypto.encrypt(crypto.derive_key(token.encode(), "refresh successor"), successor.encode())


def decrypt_successor(token: str, encrypted: bytes) -> str:
    """Return the successor that was encrypted for the holder of a token."""
    return crypto.decrypt(crypto.derive_key(token.encode(), "refresh successor"), encrypted).decode()
