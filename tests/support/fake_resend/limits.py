"""What Resend counts and remembers: requests a second, recipients a day and a month, idempotency keys."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.support.fake_resend.rules import ApiError

REMEMBERED = timedelta(hours=24)


class RateLimit:
    """The team's requests a second; a window opens with its first request. Real time, whatever the account's clock."""

    def __init__(self, rate: int | None) -> None:
        self.rate = rate
        self._opened = -math.inf
        self._used = 0

    def count(self) -> None:
        """Count a request.

        Raises:
            ApiError: this second's requests are used up.
        """
        now = time.monotonic()
        if now - self._opened >= 1:
            self._opened, self._used = now, 0
        if self.rate is not None and self._used >= self.rate:
            raise self.exceeded()
        self._used += 1

    def exceeded(self) -> ApiError:
        """Return the error for a request too many."""
        message = f"Too many requests. You can only make {self.rate or 5} requests per second."
        headers = {"retry-after": str(self._reset()), "ratelimit-remaining": "0"}
        return ApiError(429, "rate_limit_exceeded", message, headers=headers)

    def headers(self) -> dict[str, str]:
        """Return the headers that every response has."""
        if self.rate is None:
            return {}
        return {
            "ratelimit-limit": str(self.rate),
            "ratelimit-remaining": str(max(0, self.rate - self._used)),
            "ratelimit-reset": str(self._reset()),
        }

    def _reset(self) -> int:
        return max(1, math.ceil(self._opened + 1 - time.monotonic())) if self._used else 1


class Quotas:
    """The recipients of a day and of a month, in UTC; None is unlimited."""

    def __init__(self, daily: int | None, monthly: int | None) -> None:
        self.daily = daily
        self.monthly = monthly
        self._used: dict[str, int] = {}

    def count(self, recipients: int, now: datetime) -> None:
        """Count recipients, all or none.

        Raises:
            ApiError: they are more than what is left.
        """
        periods = (("daily", self.daily, f"{now:%Y-%m-%d}"), ("monthly", self.monthly, f"{now:%Y-%m}"))
        for name, limit, period in periods:
            if limit is not None and self._used.get(period, 0) + recipients > limit:
                message = f"You have reached your {name} email sending quota."
                raise ApiError(429, f"{name}_quota_exceeded", message)
        for _, _, period in periods:
            self._used[period] = self._used.get(period, 0) + recipients

    def headers(self, now: datetime) -> dict[str, str]:
        """Return how much is used; the daily header is only there where there is a daily limit."""
        used = {}
        if self.daily is not None:
            used["x-resend-daily-quota"] = str(self._used.get(f"{now:%Y-%m-%d}", 0))
        if self.daily is not None or self.monthly is not None:
            used["x-resend-monthly-quota"] = str(self._used.get(f"{now:%Y-%m}", 0))
        return used


@dataclass(frozen=True, slots=True)
class _Remembered:
    digest: bytes
    response: bytes
    at: datetime


class IdempotencyKeys:
    """The response to each key, for 24 hours; failed requests are not remembered.

    Payloads are the same when their bytes are. Whether Resend compares more leniently is not documented.
    """

    def __init__(self) -> None:
        self._responses: dict[str, _Remembered] = {}
        self._in_progress: set[str] = set()

    def replay(self, key: str | None, payload: bytes, now: datetime) -> bytes | None:
        """Return the earlier response to a key.

        Raises:
            ApiError: the key is invalid; its first request is in progress; or that had another payload.
        """
        if key is None:
            return None
        if not 1 <= len(key) <= 256:
            raise ApiError(400, "invalid_idempotency_key", "The key must be between 1-256 chars.")
        if key in self._in_progress:
            message = "Same idempotency key used while original request is still in progress."
            raise ApiError(409, "concurrent_idempotent_requests", message)
        remembered = self._responses.get(key)
        if remembered is None or now - remembered.at >= REMEMBERED:
            return None
        if remembered.digest != _digest(payload):
            message = "Same idempotency key used with a different request payload."
            raise ApiError(409, "invalid_idempotent_request", message)
        return remembered.response

    @contextmanager
    def in_progress(self, key: str | None) -> Iterator[None]:
        """Mark a key as used by a request in progress."""
        if key is None:
            yield
            return
        self._in_progress.add(key)
        try:
            yield
        finally:
            self._in_progress.discard(key)

    def remember(self, key: str | None, payload: bytes, response: bytes, now: datetime) -> None:
        """Store the response of a successful request."""
        if key is not None:
            self._responses[key] = _Remembered(_digest(payload), response, now)


def _digest(payload: bytes) -> bytes:
    return hashlib.sha256(payload).digest()
