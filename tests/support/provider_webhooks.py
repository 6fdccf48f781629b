"""Resend webhooks sent by hand: bodies as Resend writes them, signed or not, and what the service stores of them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from tests.support.fake_resend import SECRET, Webhooks
from tests.support.mail import queue_email
from tests.support.service import Service

PATH = "/v1/webhooks/resend"


def webhook_event(kind: str = "email.delivered", provider_id: str | None = None, **data: Any) -> dict[str, Any]:
    """Return an event of a message; without `provider_id`, of an unknown one."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    message = {"email_id": provider_id or str(uuid4()), "created_at": at, "to": ["ada@acme.com"]}
    return {"type": kind, "created_at": at, "data": message | data}


def signature_headers(body: bytes, svix_id: str | None = None, age: float = 0, secret: str = SECRET) -> dict[str, str]:
    """Return the headers that come with a body; the signature is `age` seconds old."""
    svix_id, timestamp = svix_id or f"msg_{uuid4().hex}", int(time.time() - age)
    signature = Webhooks("", secret).sign(svix_id, timestamp, body)
    return {"svix-id": svix_id, "svix-timestamp": str(timestamp), "svix-signature": signature}


async def post_webhook(service: Service, body: Any, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """Post a body on a connection of its own; bytes are sent as they are, without `headers` it is signed."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = signature_headers(raw) if headers is None else headers
    async with httpx.AsyncClient(base_url=service.http.base_url, timeout=30) as http:
        return await http.post(PATH, content=raw, headers={"content-type": "application/json", **signature})


async def create_sent_email(service: Service, to: str = "ada@acme.com") -> str:
    """Create a message that the provider has accepted, and return its id there."""
    email_id = await queue_email(service, to, p_send_at=datetime.now(UTC) + timedelta(days=1))
    provider_id = str(uuid4())
    query = "update gatepost.emails set status = 'sent', provider = 'resend', provider_id = $2 where id = $1"
    await service.sql.execute(query, email_id, provider_id)
    return provider_id


async def stored_events(service: Service) -> list[dict[str, Any]]:
    """Return all events that came from the provider, in the order of their arrival."""
    query = """
        select email_id, type, at, detail, provider_event_id, provider_id from gatepost.email_events
        where provider_event_id is not null order by id
    """
    return [{**row, "detail": json.loads(row["detail"])} for row in await service.sql.fetch(query)]
