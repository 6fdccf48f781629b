"""Access tokens: JWTs with the claims of Supabase Auth, signed with ES256.

A verified token is cached until it expires or the signing keys change, because verifying a signature costs as much as
a database read.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

from gatepost.errors import TokenExpired, TokenInvalid

ALGORITHM = "ES256"
AUDIENCE = "authenticated"
_MAX_TOKEN_CHARACTERS = 8192
_CACHED_TOKENS = 10_000
_REQUIRED = ["iss", "aud", "exp", "iat", "sub", "session_id"]


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a verified access token. `expires_at` is in seconds since 1970; `raw` has every claim."""

    user_id: UUID
    session_id: UUID
    expires_at: float
    raw: dict[str, Any] = field(repr=False)


class Keys(Protocol):
    """Where the keys come from."""

    @property
    def generation(self) -> int:
        """A number that changes whenever a key is added or retired."""

    def signing(self) -> tuple[str, EllipticCurvePrivateKey]:
        """Return the id and the private part of the key to sign with."""

    async def find(self, kid: str) -> EllipticCurvePublicKey | None:
        """Return the public part of a key that is not retired."""


class AccessTokens:
    """Issues and verifies the access tokens of one issuer. `lifetime` is that of a token."""

    def __init__(self, keys: Keys, issuer: str, lifetime: timedelta) -> None:
        self._keys = keys
        self._issuer = issuer
        self.lifetime = lifetime
        self._verified: dict[str, Claims] = {}
        self._generation = keys.generation

    def issue(self, user_id: UUID, session_id: UUID, claims: Mapping[str, Any]) -> str:
        """Return an access token for a session, with further claims about the user and the authentication."""
        kid, key = self._keys.signing()
        now = datetime.now(UTC)
        payload = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "role": AUDIENCE,
            "session_id": str(session_id),
            **claims,
            "iat": now,
            "exp": now + self.lifetime,
        }
        return jwt.encode(payload, key, algorithm=ALGORITHM, headers={"kid": kid})

    async def verify(self, token: str) -> Claims:
        """Return the claims of a token.

        Raises:
            TokenExpired: the token is genuine but has expired.
            TokenInvalid: anything else is wrong with it.
        """
        if self._generation != self._keys.generation:
            self._verified.clear()
            self._generation = self._keys.generation
        claims = self._verified.get(token)
        if claims is None:
            claims = await self._verify(token)
            while len(self._verified) >= _CACHED_TOKENS:
                del self._verified[next(iter(self._verified))]
            self._verified[token] = claims
        elif claims.expires_at <= time.time():
            del self._verified[token]
            raise TokenExpired
        return claims

    async def _verify(self, token: str) -> Claims:
        if len(token) > _MAX_TOKEN_CHARACTERS:
            raise TokenInvalid
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = await self._keys.find(kid) if isinstance(kid, str) else None
            if key is None:
                raise TokenInvalid
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=self._issuer,
                # The clock of another host may be a second ahead, and a token cannot be too young.
                options={"require": _REQUIRED, "verify_iat": False},
            )
            return Claims(UUID(claims["sub"]), UUID(claims["session_id"]), float(claims["exp"]), claims)
        except jwt.ExpiredSignatureError:
            raise TokenExpired from None
        except (jwt.PyJWTError, ValueError, OverflowError, TypeError, AttributeError, RecursionError):
            raise TokenInvalid from None
