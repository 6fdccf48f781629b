"""Webhooks by hand: bodies as Resend writes them, signed or nearly so, and what the service has kept of them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from tests.post.support import queue
from tests.resend import SECRET, Webhooks
from tests.support import Service

PATH = "/v1/webhooks/resend"
TAG = "gatepost_email_id"


def event(kind: str = "email.delivered", provider_id: str | None = None, **data: Any) -> dict[str, Any]:
    """An event of a message, by default of one that nobody knows."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    about = {"email_id": provider_id or str(uuid4()), "created_at": at, "to": ["ada@acme.com"]}
    return {"type": kind, "created_at": at, "data": about | data}


def signed(body: bytes, svix_id: str | None = None, age: float = 0, secret: str = SECRET) -> dict[str, str]:
    """The headers that come with a body; its signature is `age` seconds old."""
    svix_id, timestamp = svix_id or f"msg_{uuid4().hex}", int(time.time() - age)
    signature = Webhooks("", secret).sign(svix_id, timestamp, body)
    return {"svix-id": svix_id, "svix-timestamp": str(timestamp), "svix-signature": signature}


async def knock(service: Service, body: Any, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """Post a body, which may be raw, with its headers, or else rightly signed; on a connection of its own."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"content-type": "application/json"} | dict(signed(raw) if headers is None else headers)
    async with httpx.AsyncClient(base_url=service.http.base_url, timeout=30) as http:
        return await http.post(PATH, content=raw, headers=given)


async def sent_already(service: Service, to: str = "ada@acme.com") -> str:
    """Have a message that a provider has accepted, and return its id there."""
    email_id, provider_id = await queue(service, to, p_send_at=datetime.now(UTC) + timedelta(days=1)), str(uuid4())
    query = "update gatepost.emails set status = 'sent', provider = 'resend', provider_id = $2 where id = $1"
    await service.sql.execute(query, email_id, provider_id)
    return provider_id


async def kept(service: Service) -> list[dict[str, Any]]:
    """All events that somebody else told of, in the order of their arrival."""
    query = """
        select email_id, type, at, detail, provider_event_id, provider_id from gatepost.email_events
        where provider_event_id is not null order by id
    """
    return [{**row, "detail": json.loads(row["detail"])} for row in await service.sql.fetch(query)]


async def timeline(service: Service, email_id: str) -> list[str]:
    """The types of a message's events in the order of their arrival."""
    query = "select type from gatepost.email_events where email_id = $1 order by id"
    return [row["type"] for row in await service.sql.fetch(query, email_id)]
