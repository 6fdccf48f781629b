"""API keys: `gp_`, a readable part, a secret part and a checksum. The database holds their hash only."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import zlib
from typing import Literal

Scope = Literal[
    "users:read",
    "sessions:read",
    "sessions:revoke",
    "emails:send",
    "emails:read",
    "suppressions:write",
    "templates:write",
    "audit:read",
]

# 32 characters of five bits each, without vowels and without characters that look alike.
_ALPHABET = "0123456789bcdfghjkmnpqrstvwxyzBC"
_READABLE, _SECRET, _CHECKSUM = 8, 40, 7

API_KEY_PREFIX = "gp_"


def generate_api_key() -> tuple[str, str]:
    """Return a new API key (200 random bits) and its readable prefix."""
    readable = _random(_READABLE)
    body = f"{API_KEY_PREFIX}{readable}_{_random(_SECRET)}"
    return body + _checksum(body), API_KEY_PREFIX + readable


def api_key_prefix(key: str) -> str | None:
    """Return the readable prefix by which a key is looked up, or None if the key is malformed.

    The checksum catches typos before the database is asked.
    """
    body, checksum = key[:-_CHECKSUM], key[-_CHECKSUM:]
    if not key.isascii() or len(key) != len(API_KEY_PREFIX) + _READABLE + 1 + _SECRET + _CHECKSUM:
        return None
    if not key.startswith(API_KEY_PREFIX) or not hmac.compare_digest(checksum, _checksum(body)):
        return None
    return body[: len(API_KEY_PREFIX) + _READABLE]


def hash_api_key(key: str) -> bytes:
    """Return the hash of a key that the database holds (SHA-256: a key is random, so no slower hash is needed)."""
    return hashlib.sha256(key.encode()).digest()


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(30, -1, -5))
