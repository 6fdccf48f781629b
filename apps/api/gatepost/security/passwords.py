"""Password hashing: Argon2id, in threads, so that the event loop does not wait for it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gatepost.errors import ServiceUnavailable
from gatepost.security.password_rules import normalize

# OWASP Password Storage Cheat Sheet, first choice for Argon2id: 19 MiB, two passes, one lane.
_MEMORY_KIB = 19456
_PASSES = 2
_LANES = 1
_HASH_PREFIX = "$argon2"
# A longer queue would take seconds; an error is better.
_MAX_WAITING = 200

T = TypeVar("T")


class Passwords:
    """Hashes and verifies passwords, as many at once as there are CPUs."""

    def __init__(self) -> None:
        self._hasher = _hasher()
        _dummy_hash()
        self._threads = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="gatepost-password")
        self._waiting = 0

    def close(self) -> None:
        """Cancel the calls that have not started yet."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """Return the encoded Argon2id hash of a password.

        Raises:
            ServiceUnavailable: too many calls are waiting.
        """
        return await self._in_thread(self._hasher.hash, normalize(password))

    async def verify(self, hashed: str | None, password: str) -> bool:
        """Return whether a password matches a hash.

        No user (None) and a user whose password stopped working (a hash that is none) take as long as a wrong password.

        Raises:
            ServiceUnavailable: too many calls are waiting.
        """
        usable = hashed is not None and hashed.startswith(_HASH_PREFIX)
        checked = hashed if hashed is not None and usable else _dummy_hash()
        matches = await self._in_thread(self._matches, checked, password)
        return matches and usable

    def needs_rehash(self, hashed: str) -> bool:
        """Return whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(hashed)

    async def _in_thread(self, work: Callable[..., T], *arguments: str) -> T:
        if self._waiting >= _MAX_WAITING:
            raise ServiceUnavailable("The service is busy. Try again in a moment.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        finally:
            self._waiting -= 1

    def _matches(self, hashed: str, password: str) -> bool:
        normalized = normalize(password)
        # As typed, too: a password that was set before passwords were normalized was hashed like that.
        return any(self._verify(hashed, each) for each in dict.fromkeys((normalized, password)))

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False


def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)


@cache
def _dummy_hash() -> str:
    """Return the hash to verify against if there is no user, so that timing does not reveal whether a user exists."""
    return _hasher().hash(os.urandom(16))
