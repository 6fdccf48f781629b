"""API keys: `gp_`, a readable part, a secret part and a checksum; only their hash is kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import zlib

# No vowels and nothing that looks like something else; 32 of them, five bits each.
_ALPHABET = "0123456789bcdfghjkmnpqrstvwxyzBC"
_READABLE, _SECRET, _CHECKSUM = 8, 40, 7

PREFIX = "gp_"


def mint() -> tuple[str, str]:
    """Return a new key and its readable part. The secret part has 200 random bits."""
    readable = _random(_READABLE)
    body = f"{PREFIX}{readable}_{_random(_SECRET)}"
    return body + _checksum(body), PREFIX + readable


def readable_part(key: str) -> str | None:
    """Return the part by which a key is looked up, or None for what cannot be one: no database is asked for a typo."""
    body, checksum = key[:-_CHECKSUM], key[-_CHECKSUM:]
    if not key.isascii() or len(key) != len(PREFIX) + _READABLE + 1 + _SECRET + _CHECKSUM:
        return None
    if not key.startswith(PREFIX) or not hmac.compare_digest(checksum, _checksum(body)):
        return None
    return body[: len(PREFIX) + _READABLE]


def digest(key: str) -> bytes:
    """Return the hash that is kept of a key."""
    return hashlib.sha256(key.encode()).digest()


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(30, -1, -5))
