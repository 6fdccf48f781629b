"""Passwords: Argon2id, in threads of their own, so that neither the event loop nor a connection waits for one."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP Password Storage Cheat Sheet, the first choice for Argon2id: 19 MiB, two passes, one lane.
_MEMORY_KIB = 19456
_PASSES = 2
_LANES = 1


class Passwords:
    """Hashes and verifies passwords, as many at once as there are processors."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)
        self._threads = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="gatepost-password")
        # Verified when there is nobody to verify, so that the time taken does not tell who has an account.
        self._nobody = self._hasher.hash(os.urandom(16))

    def close(self) -> None:
        """Drop what has not begun yet."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """Return the encoded Argon2id hash of a password."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._hasher.hash, password)

    async def verify(self, hashed: str | None, password: str) -> bool:
        """Tell whether a password is the hashed one; with None (nobody) it is not, and takes as long."""
        loop = asyncio.get_running_loop()
        matches = await loop.run_in_executor(self._threads, self._matches, hashed or self._nobody, password)
        return matches and hashed is not None

    def outdated(self, hashed: str) -> bool:
        """Tell whether a hash was made with other parameters than today's, so that it is to be made anew."""
        return self._hasher.check_needs_rehash(hashed)

    def _matches(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False
