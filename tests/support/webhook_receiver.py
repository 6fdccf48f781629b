"""A receiver of session webhooks: a real HTTP server that accepts only what is signed, and fails on demand."""

from __future__ import annotations

import asyncio
import base64
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Self

from standardwebhooks import Webhook

from tests.support.fake_resend.http_server import HttpServer, Reply, Request

SECRET = "whsec_" + base64.b64encode(b"thirty-two bytes for signatures!").decode()
NO_CONTENT = Reply(204, b"")
Event = dict[str, Any]


class WebhookReceiver:
    """Listens on a free port of the loopback interface; `requests` are those received, each of them verified.

    `planned` are the replies to the next requests, or functions that return them; after those every reply is 204.
    """

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[Request] = []
        self.planned: deque[Reply | Callable[[], Awaitable[Reply]]] = deque()
        self._received = asyncio.Condition()
        self._server = HttpServer(self._reply)

    async def __aenter__(self) -> Self:
        self.url = f"http://127.0.0.1:{await self._server.open()}/hooks/"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.close()

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of a service that sends webhooks to this receiver."""
        return {"session_webhook_url": self.url, "session_webhook_secret": SECRET}

    @property
    def ids(self) -> list[str]:
        """The id of each request, repeated for each retry."""
        return [request.headers["webhook-id"] for request in self.requests]

    @property
    def events(self) -> list[Event]:
        """The event of each request, repeated for each retry."""
        return [request.json() for request in self.requests]

    async def wait_for_requests(self, number: int) -> None:
        """Wait until so many requests have come."""
        async with asyncio.timeout(20), self._received:
            await self._received.wait_for(lambda: len(self.requests) >= number)

    async def wait_for_session(self, session_id: str) -> Event:
        """Wait for the event that says that a session has ended, and return it."""
        async with asyncio.timeout(20), self._received:
            await self._received.wait_for(lambda: session_id in {event["data"]["id"] for event in self.events})
        return next(event for event in self.events if event["data"]["id"] == session_id)

    async def _reply(self, request: Request) -> Reply:
        Webhook(SECRET).verify(request.body, request.headers)
        assert (request.method, request.path) == ("POST", "/hooks/")
        async with self._received:
            self.requests.append(request)
            self._received.notify_all()
        planned = self.planned.popleft() if self.planned else NO_CONTENT
        return planned if isinstance(planned, Reply) else await planned()
