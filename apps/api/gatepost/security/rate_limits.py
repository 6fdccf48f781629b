"""Guessing passwords is slowed down: so many tries for an account from an address, then a pause.

Nobody is locked out by somebody else: what counts is the pair of account and address (OWASP ASVS 6.3.1), and besides
it the address alone, against one guess each for many accounts.
"""

from __future__ import annotations

import time
from ipaddress import IPv6Address, ip_network

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from gatepost.errors import RateLimited
from gatepost.http.client_ip import Address
from gatepost.settings import Settings

_PER_ACCOUNT: RateLimitItem = RateLimitItemPerMinute(10, 5, namespace="account")
_PER_ADDRESS: RateLimitItem = RateLimitItemPerMinute(300, 5, namespace="address")
_REGISTRATIONS: RateLimitItem = RateLimitItemPerMinute(30, 5, namespace="registration")
_LINKS: RateLimitItem = RateLimitItemPerMinute(60, 5, namespace="links")


class Throttle:
    """Counts tries in this process. With `ENVIRONMENT=test` it lets everything pass."""

    def __init__(self, settings: Settings) -> None:
        self._off = settings.environment == "test"
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def try_password(self, account: str, address: Address | None) -> None:
        """Count a try before it is made, so that many at once get no further than one after the other.

        Raises:
            RateLimited: there were too many; `Retry-After` says when the next may come, in seconds.
        """
        await self._hit(_PER_ADDRESS, _origin(address))
        await self._hit(_PER_ACCOUNT, account.lower(), _origin(address))

    async def forgive(self, account: str, address: Address | None) -> None:
        """Forget the tries for an account from an address: the password was right."""
        if not self._off:
            await self._limiter.clear(_PER_ACCOUNT, account.lower(), _origin(address))

    async def try_registration(self, address: Address | None) -> None:
        """Count a new account.

        Raises:
            RateLimited: there were too many from this address.
        """
        await self._hit(_REGISTRATIONS, _origin(address))

    async def try_link(self, address: Address | None) -> None:
        """Count a link that somebody asks for or uses.

        Raises:
            RateLimited: there were too many from this address.
        """
        await self._hit(_LINKS, _origin(address))

    async def _hit(self, limit: RateLimitItem, *keys: str) -> None:
        if self._off or await self._limiter.hit(limit, *keys):
            return
        resets_at, _ = await self._limiter.get_window_stats(limit, *keys)
        raise RateLimited.after(resets_at - time.time())


def _origin(address: Address | None) -> str:
    # Whoever has one IPv6 address has its /64.
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else str(address)
