"""The ES256 keys that sign access tokens, their private parts encrypted under a secret key."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from asyncpg import Record
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

from gatepost import log
from gatepost.db import Connection, Database
from gatepost.errors import ConfigurationError, ServiceUnavailable
from gatepost.security import crypto, store

# The channel on which the database announces that the keys have changed.
SIGNING_KEYS_CHANNEL = "gatepost_signing_keys"

# Seconds: an unknown key id reloads the keys, but not more often than this.
_MIN_RELOAD_INTERVAL = 5.0
_RETRY_SECONDS = 1.0
# How long a new key is published before it signs: longer than the time between two reloads of a process that misses the
# announcement.
_LEAD = timedelta(minutes=1)
# How much longer than its last token an old key is accepted, for clocks that differ.
_MARGIN = timedelta(minutes=1)


logger = log.get_logger()


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
    # In seconds of the monotonic clock.
    signs_at: float
    retired_at: float


class SigningKeys:
    """The keys that are not retired. The newest one that may sign does, all of them verify."""

    def __init__(self, database: Database, secrets: Sequence[bytes]) -> None:
        self._database = database
        self._encryption_keys = crypto.derive_keys(secrets, "signing keys")
        self._keys: dict[str, _Key] = {}
        self._loaded_at = 0.0
        self._generation = 0
        self._next_retirement = math.inf
        self._changed = asyncio.Event()

    @property
    def generation(self) -> int:
        """A number that changes whenever a key is added or retired."""
        if time.monotonic() >= self._next_retirement:
            self._use({kid: key for kid, key in self._keys.items() if key.retired_at > time.monotonic()})
        return self._generation

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
                    connection, kid, jwk.model_dump(), crypto.encrypt(self._encryption_keys[0], private)
                )
        self._use({row["kid"]: self._key(row) for row in rows})

    def wake(self, _payload: str = "") -> None:
        """Reload the keys soon: they have changed."""
        self._changed.set()

    async def follow(self) -> None:
        """Reload the keys after each `wake`, until cancelled. Until that succeeds, try again every second."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self.reload()
            except (ConfigurationError, ServiceUnavailable) as error:
                logger.error("cannot reload the signing keys", error=str(error))
                self._changed.set()
                await asyncio.sleep(_RETRY_SECONDS)

    async def rotate(self, connection: Connection, token_lifetime: timedelta, *, now: bool) -> str:
        """Add a signing key, encrypt the others under the newest secret key, and return the id of the new one.

        It signs a minute later. The others are accepted until the tokens that they signed have expired; with `now` it
        signs at once, and they are rejected at once.

        Raises:
            ConfigurationError: a key was encrypted under a secret key that is not in GATEPOST_SECRET_KEY.
        """
        kid, jwk, private = _generate()
        newest = self._encryption_keys[0]
        lead, overlap = (timedelta(0), timedelta(0)) if now else (_LEAD, token_lifetime + _MARGIN)
        rows = await store.list_signing_keys(connection)
        plain = {row["kid"]: self._decrypt(row["private_key_encrypted"]) for row in rows}
        await store.update_encrypted_keys(
            connection, {each: crypto.encrypt(newest, key) for each, key in plain.items()}
        )
        await store.rotate_signing_key(
            connection, kid, jwk.model_dump(), crypto.encrypt(newest, private), lead=lead, overlap=overlap
        )
        return kid

    def signing(self) -> tuple[str, EllipticCurvePrivateKey]:
        """Return the id and the private part of the newest key that may sign."""
        now = time.monotonic()
        kid = next((kid for kid, key in self._keys.items() if key.signs_at <= now), None) or next(reversed(self._keys))
        return kid, self._keys[kid].private

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

    def _use(self, keys: dict[str, _Key]) -> None:
        if keys.keys() != self._keys.keys():
            self._generation += 1
        self._keys = keys
        self._next_retirement = min((key.retired_at for key in keys.values()), default=math.inf)

    def _key(self, row: Record) -> _Key:
        now = time.monotonic()
        signs_at = now + row["signs_in"]
        retired_at = math.inf if row["retired_in"] is None else now + row["retired_in"]
        if known := self._keys.get(row["kid"]):
            return replace(known, signs_at=signs_at, retired_at=retired_at)
        private = load_der_private_key(self._decrypt(row["private_key_encrypted"]), None)
        if not isinstance(private, EllipticCurvePrivateKey):
            raise ConfigurationError("GATEPOST_DATABASE_URL: the database has a signing key that is not for ES256")
        return _Key(private.public_key(), private, _jwk(private.public_key()), signs_at, retired_at)

    def _decrypt(self, encrypted: bytes) -> bytes:
        try:
            return crypto.decrypt_any(self._encryption_keys, encrypted)
        except crypto.DecryptionFailed:
            raise ConfigurationError(
                "GATEPOST_SECRET_KEY: has none of the keys that this database's signing keys were encrypted with"
            ) from None


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
