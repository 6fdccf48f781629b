"""What Resend counts and remembers: requests a second, messages a day and a month, idempotency keys."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.resend.rules import ApiError

REMEMBERED = timedelta(hours=24)


class Pace:
    """The requests a second of the team; a window opens with its first request. Real time, whatever the clock says."""

    def __init__(self, rate: int | None) -> None:
        self.rate = rate
        self._opened = -math.inf
        self._used = 0

    def take(self) -> None:
        """Count a request.

        Raises:
            ApiError: this second's are used up.
        """
        now = time.monotonic()
        if now - self._opened >= 1:
            self._opened, self._used = now, 0
        if self.rate is not None and self._used >= self.rate:
            raise self.exceeded()
        self._used += 1

    def exceeded(self) -> ApiError:
        """Return the refusal of a request too many."""
        words = f"Too many requests. You can only make {self.rate or 5} requests per second."
        headers = {"retry-after": str(self._reset()), "ratelimit-remaining": "0"}
        return ApiError(429, "rate_limit_exceeded", words, headers=headers)

    def headers(self) -> dict[str, str]:
        """Return what every answer says about the pace."""
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
    """The recipients of a day and of a month, in UTC; None is without limit."""

    def __init__(self, daily: int | None, monthly: int | None) -> None:
        self.daily = daily
        self.monthly = monthly
        self._used: dict[str, int] = {}

    def take(self, recipients: int, now: datetime) -> None:
        """Count recipients, all or none.

        Raises:
            ApiError: they are more than what is left.
        """
        spans = (("daily", self.daily, f"{now:%Y-%m-%d}"), ("monthly", self.monthly, f"{now:%Y-%m}"))
        for name, limit, span in spans:
            if limit is not None and self._used.get(span, 0) + recipients > limit:
                words = f"You have reached your {name} email sending quota."
                raise ApiError(429, f"{name}_quota_exceeded", words)
        for _, _, span in spans:
            self._used[span] = self._used.get(span, 0) + recipients

    def headers(self, now: datetime) -> dict[str, str]:
        """Return how much is used; the header of the day comes with a limit of the day only."""
        used = {}
        if self.daily is not None:
            used["x-resend-daily-quota"] = str(self._used.get(f"{now:%Y-%m-%d}", 0))
        if self.daily is not None or self.monthly is not None:
            used["x-resend-monthly-quota"] = str(self._used.get(f"{now:%Y-%m}", 0))
        return used


@dataclass(frozen=True, slots=True)
class _Remembered:
    digest: bytes
    answer: bytes
    at: datetime


class Memory:
    """The idempotency keys: what each answered, for 24 hours; failures are forgotten.

    A payload is the same when its bytes are. Whether Resend compares more leniently is not documented.
    """

    def __init__(self) -> None:
        self._answers: dict[str, _Remembered] = {}
        self._handling: set[str] = set()

    def replay(self, key: str | None, payload: bytes, now: datetime) -> bytes | None:
        """Return what a key answered before.

        Raises:
            ApiError: not a key; its first request is still being handled; or it had another payload.
        """
        if key is None:
            return None
        if not 1 <= len(key) <= 256:
            raise ApiError(400, "invalid_idempotency_key", "The key must be between 1-256 chars.")
        if key in self._handling:
            words = "Same idempotency key used while original request is still in progress."
            raise ApiError(409, "concurrent_idempotent_requests", words)
        remembered = self._answers.get(key)
        if remembered is None or now - remembered.at >= REMEMBERED:
            return None
        if remembered.digest != _digest(payload):
            words = "Same idempotency key used with a different request payload."
            raise ApiError(409, "invalid_idempotent_request", words)
        return remembered.answer

    @contextmanager
    def handling(self, key: str | None) -> Iterator[None]:
        """Hold a key while its request is handled."""
        if key is None:
            yield
            return
        self._handling.add(key)
        try:
            yield
        finally:
            self._handling.discard(key)

    def remember(self, key: str | None, payload: bytes, answer: bytes, now: datetime) -> None:
        """Keep the answer of a success."""
        if key is not None:
            self._answers[key] = _Remembered(_digest(payload), answer, now)


def _digest(payload: bytes) -> bytes:
    return hashlib.sha256(payload).digest()
