"""A product's own receiver of webhooks: a real HTTP server that takes only what is signed, and fails when told to."""

from __future__ import annotations

import asyncio
import base64
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Self

from standardwebhooks import Webhook

from tests.resend.wire import Listener, Reply, Request

SECRET = "whsec_" + base64.b64encode(b"thirty-two bytes for signatures!").decode()
TAKEN = Reply(204, b"")
Event = dict[str, Any]


class Receiver:
    """Listens on a free port of the loopback interface; `received` are the requests, each of them verified.

    `planned` are the answers to the next ones, or what makes them; without any it takes what comes.
    """

    def __init__(self) -> None:
        self.url = ""
        self.received: list[Request] = []
        self.planned: deque[Reply | Callable[[], Awaitable[Reply]]] = deque()
        self._some = asyncio.Condition()
        self._listener = Listener(self._answer)

    async def __aenter__(self) -> Self:
        self.url = f"http://127.0.0.1:{await self._listener.open()}/hooks/"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._listener.close()

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of a service that tells this receiver."""
        return {"session_webhook_url": self.url, "session_webhook_secret": SECRET}

    @property
    def ids(self) -> list[str]:
        """The id of each webhook, as often as it came."""
        return [request.headers["webhook-id"] for request in self.received]

    @property
    def events(self) -> list[Event]:
        """What each webhook told, as often as it came."""
        return [request.json() for request in self.received]

    async def until(self, number: int) -> None:
        """Wait until so many webhooks have come."""
        async with asyncio.timeout(20), self._some:
            await self._some.wait_for(lambda: len(self.received) >= number)

    async def end_of(self, session_id: str) -> Event:
        """Wait until the end of a session was told, and return it."""
        async with asyncio.timeout(20), self._some:
            await self._some.wait_for(lambda: session_id in {event["data"]["id"] for event in self.events})
        return next(event for event in self.events if event["data"]["id"] == session_id)

    async def _answer(self, request: Request) -> Reply:
        Webhook(SECRET).verify(request.body, request.headers)
        assert (request.method, request.path) == ("POST", "/hooks/")
        async with self._some:
            self.received.append(request)
            self._some.notify_all()
        planned = self.planned.popleft() if self.planned else TAKEN
        return planned if isinstance(planned, Reply) else await planned()
