"""The tokens of links in mail: keyed by the secret key, and each bound to what it does.

The database holds a link's id and never its token, so whoever reads the database, a log or the message as it is kept
can use no link. In what is kept stands a mark instead, which becomes the token when the message goes out.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Literal
from uuid import UUID

from gatepost.errors import LinkInvalid
from gatepost.security import crypto as vault

Purpose = Literal["not_me", "reset_password", "verify_email"]

_MAC_BYTES = 16
_TOKEN_BYTES = 16 + _MAC_BYTES


class LinkTokens:
    """Mints and reads tokens: the link's id and 128 bits that nobody makes without the key."""

    def __init__(self, secret: bytes) -> None:
        self._key = vault.derive(secret, "links")

    def mint(self, purpose: Purpose, link_id: UUID) -> str:
        """Return the token of a link: 43 characters, the same each time."""
        token = link_id.bytes + self._mac(purpose, link_id)
        return base64.urlsafe_b64encode(token).decode().rstrip("=")

    def read(self, purpose: Purpose, token: str) -> UUID:
        """Return the id of the link that a token stands for, compared in constant time.

        Raises:
            LinkInvalid: it is none of ours, or one for something else.
        """
        try:
            data = base64.b64decode(token.encode("ascii") + b"=", altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raise LinkInvalid from None
        if len(data) != _TOKEN_BYTES:
            raise LinkInvalid
        link_id = UUID(bytes=data[:16])
        # The whole token, for base64 has more than one spelling.
        if not hmac.compare_digest(self.mint(purpose, link_id).encode(), token.encode()):
            raise LinkInvalid
        return link_id

    def fill(self, purpose: Purpose, link_id: UUID, text: str) -> str:
        """Return a text with the link's token in place of its mark."""
        return text.replace(mark(link_id), self.mint(purpose, link_id))

    def _mac(self, purpose: Purpose, link_id: UUID) -> bytes:
        return hmac.new(self._key, purpose.encode() + b"\0" + link_id.bytes, hashlib.sha256).digest()[:_MAC_BYTES]


def mark(link_id: UUID) -> str:
    """Return what stands for a link's token wherever it is kept or shown."""
    return f"masked-{link_id.hex}"
