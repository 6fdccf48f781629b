"""Rate limits for password attempts, registrations and links (OWASP ASVS 6.1.1, 6.3.1).

A limit lets a number of attempts through at once, and then one per interval: it slows an attacker down instead of
locking a user out. The counts are shared by all processes: in PostgreSQL, or in Redis if `REDIS_URL` is set. Wrong
passwords from browsers that the user has never signed in on count together, so that many networks do not help; browsers
that the user has signed in on have a count of their own, which others cannot use up (OWASP, "Slow Down Online Guessing
Attacks with Device Cookies").
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_network
from typing import Protocol

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError
from redis.asyncio import ConnectionPool

from gatepost.db import Database
from gatepost.errors import RateLimited, ServiceUnavailable
from gatepost.security import crypto, store
from gatepost.settings import Settings
from gatepost.types import IPAddress

# Each allows an amount at once, and then the same amount in its minutes: one attempt every 30 seconds, for example. Of
# several, the strictest counts.
_ACCOUNT: Sequence[RateLimitItem] = (
    RateLimitItemPerMinute(10, 5, namespace="account"),
    RateLimitItemPerMinute(50, 250, namespace="account, slow"),
)
_DEVICE: Sequence[RateLimitItem] = (
    RateLimitItemPerMinute(10, 5, namespace="device"),
    RateLimitItemPerMinute(50, 250, namespace="device, slow"),
)
# For an IPv4 address or an IPv6 /64, and for an IPv6 /48.
_PASSWORDS_OF_NETWORK: Sequence[RateLimitItem] = (
    RateLimitItemPerMinute(300, 5, namespace="network"),
    RateLimitItemPerMinute(1000, 60, namespace="network, slow"),
)
_PASSWORDS_OF_SITE: Sequence[RateLimitItem] = (
    RateLimitItemPerMinute(1500, 5, namespace="site"),
    RateLimitItemPerMinute(5000, 60, namespace="site, slow"),
)
_REGISTRATIONS_OF_NETWORK: Sequence[RateLimitItem] = (RateLimitItemPerMinute(30, 5, namespace="registration"),)
_REGISTRATIONS_OF_SITE: Sequence[RateLimitItem] = (RateLimitItemPerMinute(150, 5, namespace="registration, site"),)
_LINKS_OF_NETWORK: Sequence[RateLimitItem] = (RateLimitItemPerMinute(60, 5, namespace="links"),)
_LINKS_OF_SITE: Sequence[RateLimitItem] = (RateLimitItemPerMinute(300, 5, namespace="links, site"),)

_KEY_BYTES = 16
_REDIS_TIMEOUT = 2.0
# Buckets that one round of maintenance deletes.
_DELETE_AT_ONCE = 100_000


@dataclass(frozen=True)
class _Bucket:
    """What is counted under a limit. The key is a MAC: neither email nor IP addresses are stored or logged."""

    limit: RateLimitItem
    key: bytes


class _Counts(Protocol):
    async def count(self, buckets: Sequence[_Bucket]) -> float:
        """Count an attempt and return 0, or return the seconds until the next one is allowed."""

    async def clear(self, buckets: Sequence[_Bucket]) -> None: ...

    async def close(self) -> None: ...


class RateLimiter:
    """Counts attempts in all processes together. With `ENVIRONMENT=test` it allows everything.

    With Redis, every method raises ServiceUnavailable while Redis cannot be reached.
    """

    def __init__(self, settings: Settings, database: Database, secrets: Sequence[bytes]) -> None:
        self._off = settings.environment == "test"
        self._mac_key = crypto.derive_key(secrets[0], "rate limits")
        self._database = database
        self._counts: _Counts = (
            _RedisCounts(settings.redis_url.get_secret_value()) if settings.redis_url else _PostgresCounts(database)
        )

    async def count_password_attempt(self, account: str, ip: IPAddress | None, device: str | None = None) -> None:
        """Count an attempt before the password is checked, so that parallel attempts are limited too.

        `device` names what only the user can have: a browser that is known, or a session. Then nothing else is counted.

        Raises:
            RateLimited: there were too many attempts; `Retry-After` has the seconds until the next one is allowed.
        """
        buckets = self._password_buckets(account, device)
        if device is None:
            buckets += self._network_buckets(ip, _PASSWORDS_OF_NETWORK, _PASSWORDS_OF_SITE)
        await self._count(buckets)

    async def reset_password_attempts(self, account: str, device: str | None = None) -> None:
        """Forget the attempts for an account, or on a device, after the user has proved to be its owner."""
        if not self._off:
            await self._counts.clear(self._password_buckets(account, device))

    async def count_registration(self, ip: IPAddress | None) -> None:
        """Count a new account.

        Raises:
            RateLimited: there were too many from this network.
        """
        await self._count(self._network_buckets(ip, _REGISTRATIONS_OF_NETWORK, _REGISTRATIONS_OF_SITE))

    async def count_link(self, ip: IPAddress | None) -> None:
        """Count a link that is requested or used.

        Raises:
            RateLimited: there were too many from this network.
        """
        await self._count(self._network_buckets(ip, _LINKS_OF_NETWORK, _LINKS_OF_SITE))

    async def delete_empty(self) -> None:
        """Delete what need not be counted any more."""
        await store.delete_empty_rate_limits(self._database, _DELETE_AT_ONCE)

    async def close(self) -> None:
        """Close the connections to Redis."""
        await self._counts.close()

    async def _count(self, buckets: Sequence[_Bucket]) -> None:
        if not self._off and (seconds := await self._counts.count(buckets)):
            raise RateLimited.after(seconds)

    def _password_buckets(self, account: str, device: str | None) -> list[_Bucket]:
        return self._buckets(_ACCOUNT, account.lower()) if device is None else self._buckets(_DEVICE, device)

    def _network_buckets(
        self, ip: IPAddress | None, of_network: Sequence[RateLimitItem], of_site: Sequence[RateLimitItem]
    ) -> list[_Bucket]:
        if not isinstance(ip, IPv6Address):
            return self._buckets(of_network, str(ip))
        # A subscriber has a /64 at least, and often a /48 (RFC 6177).
        network, site = (str(ip_network((ip, length), strict=False)) for length in (64, 48))
        return self._buckets(of_network, network) + self._buckets(of_site, site)

    def _buckets(self, limits: Sequence[RateLimitItem], name: str) -> list[_Bucket]:
        return [_Bucket(limit, self._mac(f"{limit.namespace}/{name}")) for limit in limits]

    def _mac(self, name: str) -> bytes:
        return hmac.digest(self._mac_key, name.encode(), "sha256")[:_KEY_BYTES]


class _PostgresCounts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, buckets: Sequence[_Bucket]) -> float:
        counted = [(each.key, each.limit.amount, each.limit.get_expiry()) for each in buckets]
        async with self._database.connection() as connection:
            return await store.count_attempt(connection, counted)

    async def clear(self, buckets: Sequence[_Bucket]) -> None:
        async with self._database.connection() as connection:
            await store.clear_attempts(connection, [each.key for each in buckets])

    async def close(self) -> None: ...


class _RedisCounts:
    """Counts by moving windows: an attempt counts until the minutes of its limit are over."""

    def __init__(self, url: str) -> None:
        self._pool = ConnectionPool.from_url(url, socket_timeout=_REDIS_TIMEOUT, socket_connect_timeout=_REDIS_TIMEOUT)
        self._storage = RedisStorage(
            url,
            wrap_exceptions=True,
            implementation="redispy",
            key_prefix="gatepost",
            connection_pool=self._pool,  # type: ignore[arg-type] # documented, but not in its types
        )
        self._limiter = MovingWindowRateLimiter(self._storage)

    async def count(self, buckets: Sequence[_Bucket]) -> float:
        try:
            for each in buckets:
                if not await self._limiter.hit(each.limit, each.key.hex()):
                    resets_at, _ = await self._limiter.get_window_stats(each.limit, each.key.hex())
                    return max(resets_at - time.time(), 0.001)
        except StorageError as error:
            raise ServiceUnavailable from error
        return 0.0

    async def clear(self, buckets: Sequence[_Bucket]) -> None:
        try:
            for each in buckets:
                await self._limiter.clear(each.limit, each.key.hex())
        except StorageError as error:
            raise ServiceUnavailable from error

    async def close(self) -> None:
        await self._pool.aclose()
