"""Access tokens: JWTs with the claims of Supabase Auth, signed with ES256.

A verified token is remembered until it expires or the keys change: verifying costs as much as a database read.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

from gatepost.accounts.models import Person
from gatepost.errors import TokenExpired, TokenInvalid
from gatepost.sessions.models import Session

ALGORITHM = "ES256"
AUDIENCE = "authenticated"
_MAX_TOKEN_CHARACTERS = 8192
_REMEMBERED = 10_000
_REQUIRED = ["iss", "aud", "exp", "iat", "sub", "session_id"]


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid access token says. `raw` are all its claims."""

    user_id: UUID
    session_id: UUID
    expires_at: float
    raw: dict[str, Any] = field(repr=False)


class Keys(Protocol):
    """Where the keys come from; `generation` changes whenever one is added or retired."""

    generation: int

    def signing(self) -> tuple[str, EllipticCurvePrivateKey]:
        """Return the id and the private part of the key to sign with."""

    async def find(self, kid: str) -> EllipticCurvePublicKey | None:
        """Return the public part of a key that is still valid."""


class AccessTokens:
    """Issues and verifies the access tokens of one issuer."""

    def __init__(self, keys: Keys, issuer: str, lifetime: timedelta) -> None:
        self._keys = keys
        self._issuer = issuer
        self.lifetime = lifetime
        self._remembered: dict[str, Claims] = {}
        self._generation = keys.generation

    def issue(self, person: Person, session: Session) -> str:
        """Return an access token for a session of a person."""
        kid, key = self._keys.signing()
        now = datetime.now(UTC)
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": str(person.id),
            "role": AUDIENCE,
            "session_id": str(session.id),
            "aal": "aal1",
            "amr": [{"method": "password", "timestamp": int(session.authenticated_at.timestamp())}],
            "email": person.email,
            "app_metadata": {"provider": "email", "providers": ["email"], "role": person.role},
            "user_metadata": person.user_metadata,
            "is_anonymous": False,
            "iat": now,
            "exp": now + self.lifetime,
        }
        return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": kid})

    async def verify(self, token: str) -> Claims:
        """Return what a token says.

        Raises:
            TokenExpired: it was ours, and its time is over.
            TokenInvalid: anything else that is wrong with it.
        """
        if self._generation != self._keys.generation:
            self._remembered.clear()
            self._generation = self._keys.generation
        claims = self._remembered.get(token)
        if claims is None:
            claims = await self._verify(token)
            self._remember(token, claims)
        elif claims.expires_at <= time.time():
            del self._remembered[token]
            raise TokenExpired
        return claims

    def _remember(self, token: str, claims: Claims) -> None:
        while len(self._remembered) >= _REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[token] = claims

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
                # Another host's clock may be a second ahead; a token cannot be too young.
                options={"require": _REQUIRED, "verify_iat": False},
            )
            return Claims(UUID(claims["sub"]), UUID(claims["session_id"]), float(claims["exp"]), claims)
        except jwt.ExpiredSignatureError:
            raise TokenExpired from None
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError, RecursionError):
            raise TokenInvalid from None
