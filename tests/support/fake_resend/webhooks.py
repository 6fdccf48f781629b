"""Webhooks of the fake Resend: events of messages, signed as Svix signs, sent until they are accepted."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from tests.support.fake_resend.faults import Faults
from tests.support.fake_resend.messages import Message

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four!").decode()
_STALE = 600
_BOUNCE = {
    "type": "Permanent",
    "subType": "General",
    "message": "The recipient's email provider sent a hard bounce message.",
    "diagnosticCode": ["smtp; 550 5.1.1 user unknown"],
}
SUPPRESSED = {
    "type": "OnAccountSuppressionList",
    "reason": "previous_bounce",
    "message": "Resend has suppressed sending to this address because it is on the account-level suppression list.",
    "diagnosticCode": [],
}
_DETAILS: dict[str, dict[str, Any]] = {
    "email.bounced": {"bounce": _BOUNCE},
    "email.suppressed": {"suppressed": SUPPRESSED},
    "email.failed": {"failed": {"reason": "reached_daily_quota"}},
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to deliver an event; `status` is None where there was no response."""

    svix_id: str
    type: str
    message_id: str
    number: int
    faults: frozenset[str]
    status: int | None


@dataclass
class Webhooks:
    """Where events are sent, and how.

    `retries` are the seconds before each retry (the real ones are 5 s to 10 h); `delay` the seconds before each event;
    `types` the subscribed ones, None for all; `concurrency` how many deliveries run at the same time. `attempts` are
    all that were made, `given_up` are the svix ids that were never accepted.
    """

    url: str
    secret: str = SECRET
    retries: Sequence[float] = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
    faults: Faults = field(default_factory=Faults)
    types: frozenset[str] | None = None
    delay: float = 0.0
    timeout: float = 5.0
    concurrency: int = 8
    attempts: list[Attempt] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.slots = asyncio.Semaphore(self.concurrency)

    def sign(self, svix_id: str, timestamp: int, body: bytes) -> str:
        """Return the value of svix-signature."""
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = hmac.digest(key, f"{svix_id}.{timestamp}.".encode() + body, hashlib.sha256)
        return "v1," + base64.b64encode(signed).decode()


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a message, with the id it keeps over its retries."""

    svix_id: str
    type: str
    message: Message
    body: bytes


class WebhookSender:
    """Delivers events in tasks of its own."""

    def __init__(self) -> None:
        self._http = httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=None))
        self._tasks: set[asyncio.Task[None]] = set()

    def send(
        self, webhooks: Webhooks, message: Message, types: Sequence[str], details: Mapping[str, Any]
    ) -> asyncio.Event | None:
        """Send events of a message; with the fault "early", return what is set once the first was sent."""
        faults = webhooks.faults.for_events()
        wanted = [one for one in types if webhooks.types is None or one in webhooks.types]
        events = [_event(message, one, [*types].index(one), faults, details) for one in wanted]
        if "shuffled" in faults:
            order = webhooks.faults.shuffle(wanted)
            events.sort(key=lambda event: order.index(event.type))
        early = asyncio.Event() if "early" in faults and events else None
        self._start(self._deliver_all(webhooks, events, faults, early))
        return early

    async def wait(self) -> None:
        """Wait until every event was accepted or given up."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Cancel all deliveries."""
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._http.aclose()

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _deliver_all(
        self, webhooks: Webhooks, events: Sequence[Event], faults: frozenset[str], early: asyncio.Event | None
    ) -> None:
        for event in events:
            await asyncio.sleep(webhooks.delay)
            copies = 2 if "duplicated" in faults else 1
            first = [self._deliver(webhooks, event, 0, faults) for _ in range(copies)]
            for accepted in await asyncio.gather(*first):
                if not accepted:
                    # A retry does not delay the next events.
                    self._start(self._retry(webhooks, event, faults))
            if early is not None:
                early.set()

    async def _retry(self, webhooks: Webhooks, event: Event, faults: frozenset[str]) -> None:
        for number, wait in enumerate(webhooks.retries, 1):
            await asyncio.sleep(wait)
            if await self._deliver(webhooks, event, number, faults - {"forged", "stale"}):
                return
        webhooks.given_up.append(event.svix_id)

    async def _deliver(self, webhooks: Webhooks, event: Event, number: int, faults: frozenset[str]) -> bool:
        timestamp = int(time.time()) - (_STALE if "stale" in faults else 0)
        signed = event.body + b" " if "forged" in faults else event.body
        headers = {
            "content-type": "application/json",
            "user-agent": "Svix-Webhooks/1.0",
            "svix-id": event.svix_id,
            "svix-timestamp": str(timestamp),
            "svix-signature": webhooks.sign(event.svix_id, timestamp, signed),
        }
        status: int | None = None
        async with webhooks.slots:
            try:
                response = await self._http.post(
                    webhooks.url, content=event.body, headers=headers, timeout=webhooks.timeout
                )
                status = response.status_code
            except httpx.HTTPError:
                status = None
        webhooks.attempts.append(Attempt(event.svix_id, event.type, event.message.id, number, faults, status))
        return status is not None and 200 <= status < 300


def _event(message: Message, kind: str, number: int, faults: frozenset[str], details: Mapping[str, Any]) -> Event:
    """Return an event; those of one message are a millisecond apart, in the order of `number`."""
    data: dict[str, Any] = {
        "email_id": message.id,
        "created_at": _iso(message.at),
        "from": message.sender,
        "to": [*message.to],
        "subject": message.subject,
    }
    if message.tags and "untagged" not in faults:
        data["tags"] = message.tags
    if message.payload.get("headers"):
        data["headers"] = [{"name": name, "value": value} for name, value in message.payload["headers"].items()]
    data |= _DETAILS.get(kind, {}) | dict(details)
    at: datetime = data.pop("at", message.at + timedelta(milliseconds=number + 1))
    body = {"type": kind, "created_at": _iso(at), "data": data}
    return Event(f"msg_{uuid.uuid4().hex[:27]}", kind, message, json.dumps(body).encode())


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
