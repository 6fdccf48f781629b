"""Keys derived from the secret keys, and authenticated encryption of what the database holds."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gatepost.errors import ConfigurationError
from gatepost.settings import Settings, split_secret_keys

_NONCE_BYTES = 12
_MIN_SECRET_BYTES = 32


class DecryptionFailed(Exception):
    """The data was encrypted under another key, or was altered."""


def derive_key(secret: bytes, purpose: str) -> bytes:
    """Return the 32-byte key of a secret for one purpose (HKDF-SHA256, RFC 5869). Each purpose has its own key."""
    return HKDF(SHA256(), length=32, salt=None, info=b"gatepost/" + purpose.encode()).derive(secret)


def derive_keys(secret_keys: Sequence[bytes], purpose: str) -> tuple[bytes, ...]:
    """Return the key of each secret for one purpose, newest first: the first one makes, all of them verify."""
    return tuple(derive_key(secret, purpose) for secret in secret_keys)


def key_id(key: bytes) -> str:
    """Return 8 hexadecimal digits that name a derived key and reveal nothing of it."""
    return derive_key(key, "key id")[:4].hex()


def encrypt(key: bytes, data: bytes) -> bytes:
    """Encrypt and authenticate data under a 32-byte key (AES-256-GCM with a random nonce in front)."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, data, None)


def decrypt(key: bytes, encrypted: bytes) -> bytes:
    """Return the data that `encrypt` was given.

    Raises:
        DecryptionFailed: it was encrypted under another key, or altered.
    """
    try:
        return AESGCM(key).decrypt(encrypted[:_NONCE_BYTES], encrypted[_NONCE_BYTES:], None)
    except (InvalidTag, ValueError):
        raise DecryptionFailed from None


def decrypt_any(keys: Sequence[bytes], encrypted: bytes) -> bytes:
    """Return the data that was encrypted under one of several keys.

    Raises:
        DecryptionFailed: it was encrypted under none of them, or altered.
    """
    for key in keys:
        with suppress(DecryptionFailed):
            return decrypt(key, encrypted)
    raise DecryptionFailed


def secret_keys(settings: Settings) -> tuple[bytes, ...]:
    """Return the secrets that all keys derive from, newest first.

    They come from the setting, or else from a file (mode 0600) in the data directory, one on each line.

    Raises:
        ConfigurationError: the file cannot be read or created, or is too short.
    """
    if settings.secret_key is not None:
        return tuple(each.encode() for each in split_secret_keys(settings.secret_key.get_secret_value()))
    path = settings.data_dir / "secret_key"
    try:
        if not path.exists():
            _create_secret_file(path)
        found = tuple(path.read_bytes().split())
    except OSError as error:
        raise ConfigurationError(f"GATEPOST_SECRET_KEY: is not set, and {path} cannot be used: {error}") from None
    if not found or min(map(len, found)) < _MIN_SECRET_BYTES:
        raise ConfigurationError(
            f"GATEPOST_SECRET_KEY: is not set, and {path} has a key of fewer than {_MIN_SECRET_BYTES} characters: "
            "restore it from a backup"
        )
    return found


def _create_secret_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        # A link and not a rename: if two processes start for the first time at once, both read the first one's file.
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
