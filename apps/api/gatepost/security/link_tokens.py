"""The tokens of links in emails: authenticated by the secret key, each bound to its purpose.

The database holds a link's id and never its token, so that reading the database, a log or a stored message is not
enough to use a link. A stored message has a placeholder, which is replaced by the token when the message is sent.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Literal
from uuid import UUID

from gatepost.errors import LinkInvalid
from gatepost.security import crypto

LinkPurpose = Literal["not_me", "reset_password", "verify_email"]

_MAC_BYTES = 16
_TOKEN_BYTES = 16 + _MAC_BYTES


class LinkTokens:
    """Creates and verifies tokens: a link's id and a MAC of 128 bits."""

    def __init__(self, secret: bytes) -> None:
        self._key = crypto.derive_key(secret, "links")

    def create(self, purpose: LinkPurpose, link_id: UUID) -> str:
        """Return the token of a link: 43 characters, always the same for one link."""
        token = link_id.bytes + self._mac(purpose, link_id)
        return base64.urlsafe_b64encode(token).decode().rstrip("=")

    def verify(self, purpose: LinkPurpose, token: str) -> UUID:
        """Return the id of a token's link, comparing in constant time.

        Raises:
            LinkInvalid: the token is forged, damaged or for another purpose.
        """
        try:
            data = base64.b64decode(token.encode("ascii") + b"=", altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raise LinkInvalid from None
        if len(data) != _TOKEN_BYTES:
            raise LinkInvalid
        link_id = UUID(bytes=data[:16])
        # The whole token is compared, because the same bytes have more than one form in base64.
        if not hmac.compare_digest(self.create(purpose, link_id).encode(), token.encode()):
            raise LinkInvalid
        return link_id

    def insert(self, purpose: LinkPurpose, link_id: UUID, text: str) -> str:
        """Return a text with the link's token in place of its placeholder."""
        return text.replace(link_placeholder(link_id), self.create(purpose, link_id))

    def _mac(self, purpose: LinkPurpose, link_id: UUID) -> bytes:
        return hmac.new(self._key, purpose.encode() + b"\0" + link_id.bytes, hashlib.sha256).digest()[:_MAC_BYTES]


def link_placeholder(link_id: UUID) -> str:
    """Return the text that stands for a link's token wherever a message is stored or shown."""
    return f"masked-{link_id.hex}"
