"""Secrets at rest: keys derived from one secret, and what is sealed under them."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gatepost.errors import ConfigurationError
from gatepost.settings import Settings

_NONCE_BYTES = 12
_LEAST_SECRET_BYTES = 32


class SealBroken(Exception):
    """What was sealed does not open under this key."""


def derive(secret: bytes, purpose: str) -> bytes:
    """Return the 32-byte key of a secret for one purpose (HKDF-SHA256, RFC 5869): no two purposes share one."""
    return HKDF(SHA256(), length=32, salt=None, info=b"gatepost/" + purpose.encode()).derive(secret)


def seal(key: bytes, plain: bytes) -> bytes:
    """Encrypt and authenticate bytes under a 32-byte key (AES-256-GCM, a fresh nonce in front)."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, None)


def unseal(key: bytes, sealed: bytes) -> bytes:
    """Return what `seal` was given.

    Raises:
        SealBroken: another key, or altered bytes.
    """
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
    except (InvalidTag, ValueError):
        raise SealBroken from None


def secret_key(settings: Settings) -> bytes:
    """Return the secret all keys derive from: the setting, else one made once in the data directory (mode 0600).

    Raises:
        ConfigurationError: the file cannot be read or made, or holds no secret.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    path = settings.data_dir / "secret_key"
    try:
        if not path.exists():
            _make(path)
        secret = path.read_bytes().strip()
    except OSError as error:
        raise ConfigurationError(f"GATEPOST_SECRET_KEY: is not set, and {path} cannot be used: {error}") from None
    if len(secret) < _LEAST_SECRET_BYTES:
        raise ConfigurationError(
            f"GATEPOST_SECRET_KEY: is not set, and {path} holds fewer than {_LEAST_SECRET_BYTES} characters: "
            "restore it from a backup"
        )
    return secret


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        # A link, not a rename: of two first starts at once, both read the one that came first.
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
