"""The courier: POSTs what is due to the URL of the settings, signed as Standard Webhooks has it, until it is taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Self, cast
from uuid import UUID

import httpx
from standardwebhooks import Webhook

from gatepost import log
from gatepost.db.lease_worker import LEASE, Carrier, wait_after
from gatepost.db.pool import Connection, Database
from gatepost.geoip import Places
from gatepost.settings import Settings
from gatepost.webhooks import store
from gatepost.webhooks.store import Delivery

# Seconds for a whole request (Standard Webhooks: 15 to 30), and of them for connecting.
LIMIT = 15.0
_CONNECT = 5.0
# How long a receiver may refuse an end before it is given up.
PATIENCE = timedelta(days=3)
# Seconds: the longest wait that a receiver's Retry-After may ask for.
_LONGEST_ASKED = 3600.0
# What follows the status is read for the connection's sake alone: so many bytes, for so many seconds.
_MOST_READ = 4096
_READING = 1.0

logger = log.get_logger()


class Courier(Carrier[Delivery]):
    """Delivers the ends of sessions; one client, and so one set of open connections, for its whole life."""

    name = "webhooks"

    def __init__(self, database: Database, url: str, secret: str, idle_timeout: timedelta, places: Places) -> None:
        super().__init__(database)
        self._url = url
        self._signer = Webhook(secret)
        self._idle_timeout = idle_timeout
        self._places = places
        self._http = httpx.AsyncClient(
            headers={"Content-Type": "application/json", "User-Agent": f"gatepost/{version('gatepost')}"},
            timeout=httpx.Timeout(LIMIT, connect=_CONNECT),
        )

    @classmethod
    def of(cls, settings: Settings, database: Database, places: Places) -> Self | None:
        """Return the courier of the settings, None where they name no URL."""
        url, secret = settings.session_webhook_url, settings.session_webhook_secret
        if url is None or secret is None:
            return None
        return cls(database, url, secret.get_secret_value(), settings.idle_timeout, places)

    async def aclose(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def _lease(self, connection: Connection) -> Delivery:
        return await store.lease(connection, self._id, LEASE, self._idle_timeout, self._places)

    async def _renew(self, connection: Connection, keys: Collection[UUID]) -> None:
        await store.renew(connection, self._id, keys, LEASE)

    async def _put_back_all(self, connection: Connection) -> None:
        await store.put_back_all(connection, self._id)

    async def _carry(self, lease: Delivery) -> None:
        key, event = lease.key, lease.event
        if key is None or event is None:
            return
        told = logger.bind(webhook=str(key), session=str(event.data.id))
        try:
            async with asyncio.timeout(LIMIT):
                status, asked = await self._post(key, event.model_dump_json())
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            status, asked = type(error).__name__, 0.0
        if isinstance(status, int) and 200 <= status < 300:
            told.info("webhook delivered")
            await self._keep_trying(lambda found: store.accept(found, key))
            return

        told.warning("webhook not taken", answer=status, tries=lease.tries)
        delay = timedelta(seconds=max(wait_after(lease.tries), min(asked, _LONGEST_ASKED)))

        async def defer(connection: Connection) -> None:
            if await store.defer(connection, self._id, key, delay, PATIENCE):
                told.error("webhook given up", answer=status, tries=lease.tries)

        await self._keep_trying(defer)

    async def _post(self, key: UUID, body: str) -> tuple[int | str, float]:
        """Return the status, and the seconds that the receiver asks to wait."""
        now = datetime.now(UTC)
        headers = {
            "webhook-id": str(key),
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(str(key), now, body),
        }
        async with self._http.stream("POST", self._url, content=body, headers=headers) as response:
            with suppress(httpx.HTTPError, TimeoutError):
                await _read(response)
            return response.status_code, _retry_after(response.headers.get("retry-after", ""))


async def _read(response: httpx.Response) -> None:
    async with asyncio.timeout(_READING), aclosing(cast(AsyncGenerator[bytes], response.aiter_raw())) as chunks:
        async for _ in chunks:
            if response.num_bytes_downloaded > _MOST_READ:
                return


def _retry_after(text: str) -> float:
    """Return the seconds of a `Retry-After`, a number or a date (RFC 9110, 10.2.3); zero where it is neither."""
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        there = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
    return (there - datetime.now(UTC)).total_seconds() if there.tzinfo else 0.0
