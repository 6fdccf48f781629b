"""The standalone service with a heartbeat in its process: a task that notices how long the event loop was held.

`GET /heartbeat` returns the longest gap since the last call, and the longest of the gaps' CPU time. The gap alone would
also count what other programs on this machine took from the process.
"""

from __future__ import annotations

import asyncio
import gc
import time
from contextlib import suppress
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import gatepost

ADMIN = ("admin@example.com", "benchmark password")
_INTERVAL = 0.001


class Heartbeat:
    """An app with a heartbeat beside it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._gap = self._held = self._collecting = self._collection_began = 0.0
        gc.callbacks.append(self._notice_collection)

    def _notice_collection(self, phase: str, _: Any) -> None:
        if phase == "start":
            self._collection_began = time.perf_counter()
        else:
            self._collecting = max(self._collecting, time.perf_counter() - self._collection_began)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the whole life of the app."""
        if scope["type"] == "lifespan":
            beating = asyncio.create_task(self._beat())
            await self.app(scope, receive, frozen_after_startup(send))
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating
        elif scope["path"] in ("/heartbeat", "/open"):
            await JSONResponse(self._take())(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _beat(self) -> None:
        while True:
            began, cpu = time.perf_counter(), time.process_time()
            await asyncio.sleep(_INTERVAL)
            gap = time.perf_counter() - began - _INTERVAL
            self._gap = max(self._gap, gap)
            self._held = max(self._held, min(gap, time.process_time() - cpu))

    def _take(self) -> dict[str, Any]:
        taken = {"gap": self._gap * 1000, "held": self._held * 1000, "gc": self._collecting * 1000}
        self._gap = self._held = self._collecting = 0.0
        return taken


def frozen_after_startup(send: Send) -> Send:
    """Exempt what stays from garbage collection, as `gatepost serve` does."""

    async def send_and_freeze(message: Message) -> None:
        gc.collect()
        gc.freeze()
        await send(message)

    return send_and_freeze


settings = gatepost.Settings(environment="test", admin_email=ADMIN[0], admin_password=ADMIN[1])
app = Heartbeat(gatepost.create_app(settings))
