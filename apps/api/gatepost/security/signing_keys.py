"""The ES256 keys that sign access tokens, their private parts encrypted under the secret key."""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

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
from pydantic import BaseModel

from gatepost.db import Database
from gatepost.errors import ConfigurationError
from gatepost.security import crypto, store

# Seconds: an unknown key id reloads the keys, but not more often than this.
_MIN_RELOAD_INTERVAL = 5.0


class JsonWebKey(BaseModel):
    """A public key (RFC 7517) of the curve P-256 (RFC 7518, 6.2)."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: str
    y: str
    kid: str
    alg: Literal["ES256"]
    use: Literal["sig"]


class JsonWebKeys(BaseModel):
    """The public keys that verify Gatepost's access tokens."""

    keys: list[JsonWebKey]


@dataclass(frozen=True)
class _Key:
    public: EllipticCurvePublicKey
    private: EllipticCurvePrivateKey
    jwk: JsonWebKey


class SigningKeys:
    """The keys that are not retired. The newest signs, all of them verify."""

    def __init__(self, database: Database, secret: bytes) -> None:
        self._database = database
        self._encryption_key = crypto.derive_key(secret, "signing keys")
        self._keys: dict[str, _Key] = {}
        self._loaded_at = 0.0
        self.generation = 0

    async def reload(self) -> None:
        """Read the keys from the database; if it has none yet, create one.

        Raises:
            ConfigurationError: the keys in this database were encrypted under another secret key.
            ServiceUnavailable: the database cannot be reached.
        """
        self._loaded_at = time.monotonic()
        async with self._database.transaction() as connection:
            rows = await store.list_signing_keys(connection)
            if not rows:
                kid, jwk, private = _generate()
                rows = await store.create_first_signing_key(
                    connection, kid, jwk.model_dump(), crypto.encrypt(self._encryption_key, private)
                )
        keys = {row["kid"]: self._keys.get(row["kid"]) or self._decrypt(row["private_key_encrypted"]) for row in rows}
        if keys.keys() != self._keys.keys():
            self._keys = keys
            self.generation += 1

    def signing(self) -> tuple[str, EllipticCurvePrivateKey]:
        """Return the id and the private part of the newest key."""
        kid, key = next(iter(self._keys.items()))
        return kid, key.private

    async def find(self, kid: str) -> EllipticCurvePublicKey | None:
        """Return the public part of a key, or None. An unknown key may be newer than the loaded ones."""
        if kid not in self._keys and time.monotonic() - self._loaded_at > _MIN_RELOAD_INTERVAL:
            with suppress(ConfigurationError):
                await self.reload()
        key = self._keys.get(kid)
        return key.public if key else None

    def public(self) -> JsonWebKeys:
        """Return the public keys, the signing one first."""
        return JsonWebKeys(keys=[key.jwk for key in self._keys.values()])

    def _decrypt(self, encrypted: bytes) -> _Key:
        try:
            private = load_der_private_key(crypto.decrypt(self._encryption_key, encrypted), None)
        except crypto.DecryptionFailed:
            raise ConfigurationError(
                "GATEPOST_SECRET_KEY: is not the one that this database's signing keys were encrypted with"
            ) from None
        if not isinstance(private, EllipticCurvePrivateKey):
            raise ConfigurationError("GATEPOST_DATABASE_URL: the database has a signing key that is not for ES256")
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
    """Return the key's thumbprint (RFC 7638), which is used as its id."""
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    return base64url_encode(hashlib.sha256(canonical).digest()).decode()
