"""Guessing passwords is slowed down: so many wrong ones for an account from an address, then a pause.

Nobody is locked out by somebody else: what counts is the pair of account and address (OWASP ASVS 6.3.1), and besides
it the address alone, against one guess each for many accounts.
"""

from __future__ import annotations

import time

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from gatepost.errors import RateLimited
from gatepost.settings import Settings

_PER_ACCOUNT: RateLimitItem = RateLimitItemPerMinute(10, 5)
_PER_ADDRESS: RateLimitItem = RateLimitItemPerMinute(100, 5)


class Throttle:
    """Counts wrong passwords in this process. With `ENVIRONMENT=test` it lets everything pass."""

    def __init__(self, settings: Settings) -> None:
        self._off = settings.environment == "test"
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def check(self, account: str, address: str) -> None:
        """Let an attempt pass unless there were too many wrong ones.

        Raises:
            RateLimited: there were; `Retry-After` says when the next may come, in seconds.
        """
        for limit, keys in self._limits(account, address):
            if not await self._limiter.test(limit, *keys):
                resets_at, _ = await self._limiter.get_window_stats(limit, *keys)
                raise RateLimited.after(resets_at - time.time())

    async def count(self, account: str, address: str) -> None:
        """Count a wrong password."""
        for limit, keys in self._limits(account, address):
            await self._limiter.hit(limit, *keys)

    def _limits(self, account: str, address: str) -> list[tuple[RateLimitItem, tuple[str, ...]]]:
        return [] if self._off else [(_PER_ACCOUNT, (account, address)), (_PER_ADDRESS, (address,))]
