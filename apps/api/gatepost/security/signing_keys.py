"""The key ring: the ES256 keys that sign access tokens, their private parts sealed under the secret key."""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import suppress
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from jwt.algorithms import ECAlgorithm
from jwt.utils import base64url_encode

from gatepost.accounts import store
from gatepost.accounts.models import JsonWebKey
from gatepost.db.pool import Database
from gatepost.errors import ConfigurationError
from gatepost.security import crypto as vault

# Seconds: an unknown key id makes us look again, but not more often than this.
_LOOK_AGAIN = 5.0


@dataclass(frozen=True)
class _Key:
    public: EllipticCurvePublicKey
    private: EllipticCurvePrivateKey
    jwk: JsonWebKey


class KeyRing:
    """The keys that are not retired. The newest signs, all of them verify."""

    def __init__(self, database: Database, secret: bytes) -> None:
        self._database = database
        self._sealing_key = vault.derive(secret, "signing keys")
        self._keys: dict[str, _Key] = {}
        self._looked_at = 0.0
        self.generation = 0

    async def reload(self) -> None:
        """Read the ring anew; the first one to find it empty makes a key.

        Raises:
            ConfigurationError: the secret key is not the one this database's keys were sealed with.
            ServiceUnavailable: the database cannot be reached.
        """
        self._looked_at = time.monotonic()
        async with self._database.transaction() as connection:
            rows = await store.list_signing_keys(connection)
            if not rows:
                kid, jwk, private = _generate()
                rows = await store.add_first_signing_key(
                    connection, kid, jwk.model_dump(), vault.seal(self._sealing_key, private)
                )
        keys = {row["kid"]: self._keys.get(row["kid"]) or self._open(row["private_sealed"]) for row in rows}
        if keys.keys() != self._keys.keys():
            self._keys = keys
            self.generation += 1

    def signing(self) -> tuple[str, EllipticCurvePrivateKey]:
        """Return the id and the private part of the newest key."""
        kid, key = next(iter(self._keys.items()))
        return kid, key.private

    async def find(self, kid: str) -> EllipticCurvePublicKey | None:
        """Return the public part of a key, or None. An unknown one may be newer than our ring."""
        if kid not in self._keys and time.monotonic() - self._looked_at > _LOOK_AGAIN:
            with suppress(ConfigurationError):
                await self.reload()
        key = self._keys.get(kid)
        return key.public if key else None

    def public(self) -> list[JsonWebKey]:
        """Return the public keys, the signing one first."""
        return [key.jwk for key in self._keys.values()]

    def _open(self, sealed: bytes) -> _Key:
        try:
            private = load_der_private_key(vault.unseal(self._sealing_key, sealed), None)
        except vault.SealBroken:
            raise ConfigurationError(
                "GATEPOST_SECRET_KEY: is not the one that this database's signing keys were sealed with"
            ) from None
        if not isinstance(private, EllipticCurvePrivateKey):
            raise ConfigurationError("GATEPOST_DATABASE_URL: holds a signing key that is not for ES256")
        return _Key(private.public_key(), private, _jwk(private.public_key()))


def _generate() -> tuple[str, JsonWebKey, bytes]:
    private = generate_private_key(SECP256R1())
    jwk = _jwk(private.public_key())
    return jwk.kid, jwk, private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _jwk(public: EllipticCurvePublicKey) -> JsonWebKey:
    members = ECAlgorithm.to_jwk(public, as_dict=True)
    members = {name: members[name] for name in ("crv", "kty", "x", "y")}
    return JsonWebKey(**members, kid=_thumbprint(members), alg="ES256", use="sig")


def _thumbprint(members: dict[str, str]) -> str:
    """Return the key's thumbprint (RFC 7638), which serves as its id."""
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    return base64url_encode(hashlib.sha256(canonical).digest()).decode()
