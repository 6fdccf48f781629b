"""The webhook worker: POSTs deliveries to the configured URL, signed by Standard Webhooks, until they are accepted."""

from __future__ import annotations

from asyncio import timeout
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
from gatepost.db import LEASE, Connection, Database, LeaseWorker, retry_seconds
from gatepost.geoip import GeoIp
from gatepost.sessions import set_locations
from gatepost.settings import Settings
from gatepost.webhooks import store
from gatepost.webhooks.store import Delivery

# Seconds for a whole request (Standard Webhooks: 15 to 30), and of them for connecting.
REQUEST_SECONDS = 15.0
_CONNECT_SECONDS = 5.0
# A receiver has this long to accept a delivery before it is given up.
MAX_AGE = timedelta(days=3)
# Seconds: the longest wait that a receiver's Retry-After may ask for.
_MAX_RETRY_AFTER = 3600.0
# The response body is read only to reuse the connection: at most so many bytes and seconds.
_MAX_BODY_BYTES = 4096
_BODY_SECONDS = 1.0

logger = log.get_logger()


class WebhookWorker(LeaseWorker[Delivery]):
    """Delivers the ends of sessions to one URL, with one pool of connections."""

    name = "webhooks"

    def __init__(self, database: Database, url: str, secret: str, idle_timeout: timedelta, geoip: GeoIp) -> None:
        super().__init__(database)
        self._url = url
        self._signer = Webhook(secret)
        self._idle_timeout = idle_timeout
        self._geoip = geoip
        self._http = httpx.AsyncClient(
            headers={"Content-Type": "application/json", "User-Agent": f"gatepost/{version('gatepost')}"},
            timeout=httpx.Timeout(REQUEST_SECONDS, connect=_CONNECT_SECONDS),
        )

    @classmethod
    def from_settings(cls, settings: Settings, database: Database, geoip: GeoIp) -> Self | None:
        """Return the worker for the configured URL, or None if there is none."""
        url, secret = settings.session_webhook_url, settings.session_webhook_secret
        if url is None or secret is None:
            return None
        return cls(database, url, secret.get_secret_value(), settings.idle_timeout, geoip)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _lease(self, connection: Connection) -> Delivery:
        return await store.lease(connection, self._id, LEASE, self._idle_timeout)

    async def _renew(self, connection: Connection, keys: Collection[UUID]) -> None:
        await store.renew(connection, self._id, keys, LEASE)

    async def _release_all(self, connection: Connection) -> None:
        await store.release_all(connection, self._id)

    async def _process(self, lease: Delivery) -> None:
        key, event = lease.key, lease.event
        if key is None or event is None:
            return
        bound = logger.bind(webhook=str(key), session=str(event.data.id))
        set_locations(self._geoip, [event.data])
        try:
            async with timeout(REQUEST_SECONDS):
                status, retry_after = await self._post(key, event.model_dump_json())
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            status, retry_after = type(error).__name__, 0.0
        if isinstance(status, int) and 200 <= status < 300:
            bound.info("webhook delivered")
            await self._record(lambda connection: store.complete(connection, key))
            return

        bound.warning("webhook not accepted", response=status, attempts=lease.attempts)
        delay = timedelta(seconds=max(retry_seconds(lease.attempts), min(retry_after, _MAX_RETRY_AFTER)))

        async def retry_later(connection: Connection) -> None:
            if await store.retry_later(connection, self._id, key, delay, MAX_AGE):
                bound.error("gave up delivering a webhook", response=status, attempts=lease.attempts)

        await self._record(retry_later)

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
    async with timeout(_BODY_SECONDS), aclosing(cast(AsyncGenerator[bytes], response.aiter_raw())) as chunks:
        async for _ in chunks:
            if response.num_bytes_downloaded > _MAX_BODY_BYTES:
                return


def _retry_after(text: str) -> float:
    """Return the seconds of a `Retry-After`, a number or a date (RFC 9110, 10.2.3); zero if it is neither."""
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
    return (at - datetime.now(UTC)).total_seconds() if at.tzinfo else 0.0
