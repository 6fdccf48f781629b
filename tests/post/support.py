"""What the tests of the post share: a service that sends by a Resend of our own, and waiting for mail."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.resend import SECRET, FakeResend, Webhooks
from tests.support import Service, running_service

SENDER = "Acme <no-reply@acme.com>"
WELCOME = {"name": "Ada", "login_url": "https://acme.com/"}


def by_resend(resend: FakeResend) -> dict[str, Any]:
    """The settings of a service that sends by this Resend."""
    return {
        "mail_transport": ["resend"],
        "mail_from": SENDER,
        "resend_api_key": "re_test",
        "resend_base_url": resend.url,
        "resend_webhook_secret": SECRET,
    }


@asynccontextmanager
async def posting(database_url: str, **given: Any) -> AsyncIterator[tuple[Service, FakeResend]]:
    """A service with its provider, which tells it by webhook what becomes of mail."""
    options = {"rate": 50} | given
    async with FakeResend(**options) as resend, running_service(database_url, **by_resend(resend)) as service:
        resend.webhooks = Webhooks(f"{service.http.base_url}/v1/webhooks/resend".replace("//v1", "/v1"))
        yield service, resend


async def queue(service: Service, to: str = "ada@acme.com", template: str = "welcome", **more: Any) -> str:
    """Queue a message by SQL and return its id."""
    variables = more.pop("variables", WELCOME)
    names = "".join(f", {name} => ${place}" for place, name in enumerate(more, 4))
    query = f"select gatepost.queue_email($1, $2, $3{names})"
    return str(await service.sql.fetchval(query, template, to, json.dumps(variables), *more.values()))


async def until(service: Service, email_id: str, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until a message fits, and return its row."""
    deadline = time.monotonic() + 20
    while True:
        row = dict(await service.sql.fetchrow("select * from gatepost.emails where id = $1", email_id) or {})
        if fits(row):
            return row
        assert time.monotonic() < deadline, (row["status"], row["attempts"], row["last_error"])
        await asyncio.sleep(0.02)


async def status_of(service: Service, email_id: str, *wanted: str) -> dict[str, Any]:
    """Wait until a message has one of these statuses, and return its row."""
    return await until(service, email_id, lambda row: row["status"] in wanted)


async def quiet(service: Service, resend: FakeResend) -> None:
    """Wait until nothing is on its way, and forget what was."""
    query = "select count(*) from gatepost.emails where status in ('queued', 'sending')"
    while await service.sql.fetchval(query):
        await asyncio.sleep(0.02)
    resend.books.clear()
    resend.requests.clear()
