"""Rate limits for password attempts, registrations and links.

Password attempts are counted per account and IP address together, so that an attacker cannot lock out a user (OWASP
ASVS 6.3.1), and per IP address, against one guess each for many accounts.
"""

from __future__ import annotations

import time
from ipaddress import IPv6Address, ip_network

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from gatepost.errors import RateLimited
from gatepost.settings import Settings
from gatepost.types import IPAddress

_PER_ACCOUNT: RateLimitItem = RateLimitItemPerMinute(10, 5, namespace="account")
_PER_IP: RateLimitItem = RateLimitItemPerMinute(300, 5, namespace="ip")
_REGISTRATIONS: RateLimitItem = RateLimitItemPerMinute(30, 5, namespace="registration")
_LINKS: RateLimitItem = RateLimitItemPerMinute(60, 5, namespace="links")


class RateLimiter:
    """Counts attempts in this process. With `ENVIRONMENT=test` it allows everything."""

    def __init__(self, settings: Settings) -> None:
        self._off = settings.environment == "test"
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def count_password_attempt(self, account: str, ip: IPAddress | None) -> None:
        """Count an attempt before the password is checked, so that parallel attempts are limited too.

        Raises:
            RateLimited: there were too many attempts; `Retry-After` has the seconds until the next one is allowed.
        """
        await self._hit(_PER_IP, _network(ip))
        await self._hit(_PER_ACCOUNT, account.lower(), _network(ip))

    async def reset_password_attempts(self, account: str, ip: IPAddress | None) -> None:
        """Reset the count of an account and IP address after the password was correct."""
        if not self._off:
            await self._limiter.clear(_PER_ACCOUNT, account.lower(), _network(ip))

    async def count_registration(self, ip: IPAddress | None) -> None:
        """Count a new account.

        Raises:
            RateLimited: there were too many from this IP address.
        """
        await self._hit(_REGISTRATIONS, _network(ip))

    async def count_link(self, ip: IPAddress | None) -> None:
        """Count a link that is requested or used.

        Raises:
            RateLimited: there were too many from this IP address.
        """
        await self._hit(_LINKS, _network(ip))

    async def _hit(self, limit: RateLimitItem, *keys: str) -> None:
        if self._off or await self._limiter.hit(limit, *keys):
            return
        resets_at, _ = await self._limiter.get_window_stats(limit, *keys)
        raise RateLimited.after(resets_at - time.time())


def _network(ip: IPAddress | None) -> str:
    # A client with one IPv6 address usually has its whole /64 network.
    return str(ip_network((ip, 64), strict=False)) if isinstance(ip, IPv6Address) else str(ip)
