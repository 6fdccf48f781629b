"""The tokens of links in emails: authenticated by a secret key, each bound to its purpose.

The database holds a link's id and never its token, so that reading the database, a log or a stored message is not
enough to use a link. A stored message has a placeholder, which is replaced by the token when the message is sent.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from gatepost.errors import LinkInvalid
from gatepost.security import crypto

LinkPurpose = Literal["not_me", "reset_password", "verify_email"]

_MAC_BYTES = 16
_TOKEN_BYTES = 16 + _MAC_BYTES


class LinkTokens:
    """Creates and verifies tokens: a link's id and a MAC of 128 bits."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._keys = {crypto.key_id(key): key for key in crypto.derive_keys(secrets, "links")}
        self._newest = next(iter(self._keys))

    def create(self, purpose: LinkPurpose, link_id: UUID) -> str:
        """Return the token of a link by the newest secret key: 43 characters."""
        return _token(self._keys[self._newest], purpose, link_id)

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
        genuine = [_token(key, purpose, link_id).encode() for key in self._keys.values()]
        if not any(hmac.compare_digest(each, token.encode()) for each in genuine):
            raise LinkInvalid
        return link_id

    def placeholder(self, link_id: UUID) -> str:
        """Return the text that stands for a link's token wherever a message is stored or shown.

        It names the key, so that a message that is sent again after a rotation has the same bytes.
        """
        return f"masked-{self._newest}-{link_id.hex}"

    def insert(self, purpose: LinkPurpose, link_id: UUID, text: str) -> str:
        """Return a text with the link's token in place of its placeholder, by the newest key if its own is gone."""

        def token(found: re.Match[str]) -> str:
            return _token(self._keys.get(found[1], self._keys[self._newest]), purpose, link_id)

        return re.sub(rf"masked-([0-9a-f]{{8}})-{link_id.hex}", token, text)


def _token(key: bytes, purpose: LinkPurpose, link_id: UUID) -> str:
    mac = hmac.digest(key, purpose.encode() + b"\0" + link_id.bytes, "sha256")[:_MAC_BYTES]
    return base64.urlsafe_b64encode(link_id.bytes + mac).decode().rstrip("=")
