"""Waiting for something to happen, with a limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(check: Callable[[], Awaitable[T]], seconds: float = 20) -> T:
    """Call `check` until it returns something true, and return that.

    Raises:
        TimeoutError: it returned nothing true within `seconds`.
    """
    async with asyncio.timeout(seconds):
        while not (found := await check()):
            await asyncio.sleep(0.02)
    return found


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
    """Block until a condition holds; `what` describes it in the failure message."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.01)
