"""Passwords: Argon2id, in threads of their own, so that neither the event loop nor a connection waits for one."""

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

# OWASP Password Storage Cheat Sheet, the first choice for Argon2id: 19 MiB, two passes, one lane.
_MEMORY_KIB = 19456
_PASSES = 2
_LANES = 1
# A queue that is longer takes seconds: a refusal is the kinder answer.
_MOST_WAITING = 200

T = TypeVar("T")


class Passwords:
    """Hashes and verifies passwords, as many at once as there are processors."""

    def __init__(self) -> None:
        self._hasher = _hasher()
        _nobody()
        self._threads = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="gatepost-password")
        self._waiting = 0

    def close(self) -> None:
        """Drop what has not begun yet."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """Return the encoded Argon2id hash of a password.

        Raises:
            ServiceUnavailable: too many wait already.
        """
        return await self._in_thread(self._hasher.hash, password)

    async def verify(self, hashed: str | None, password: str) -> bool:
        """Tell whether a password is the hashed one; with None (nobody) it is not, and takes as long.

        Raises:
            ServiceUnavailable: too many wait already.
        """
        matches = await self._in_thread(self._matches, hashed or _nobody(), password)
        return matches and hashed is not None

    def outdated(self, hashed: str) -> bool:
        """Tell whether a hash was made with other parameters than today's, so that it is to be made anew."""
        return self._hasher.check_needs_rehash(hashed)

    async def _in_thread(self, work: Callable[..., T], *arguments: str) -> T:
        if self._waiting >= _MOST_WAITING:
            raise ServiceUnavailable("The service is busy; try again in a moment.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        finally:
            self._waiting -= 1

    def _matches(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False


def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)


@cache
def _nobody() -> str:
    """What is verified when there is nobody to verify, so that the time taken does not tell who has an account."""
    return _hasher().hash(os.urandom(16))
