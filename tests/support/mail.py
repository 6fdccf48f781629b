"""A service that sends through a fake Resend, and what becomes of its email."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from gatepost.mail.outbox.messages import error_text
from tests.support.fake_resend import SECRET, FakeResend, Webhooks
from tests.support.service import Service, running_service

SENDER = "Acme <no-reply@acme.com>"
WEB_URL = "https://app.acme.com"
WELCOME = {"name": "Ada", "login_url": "https://acme.com/"}
TAG = "gatepost_email_id"


@dataclass
class MailService(Service):
    """A running service, and the fake Resend that it sends through."""

    resend: FakeResend

    async def sent_email(self, template: str, number: int = 1) -> dict[str, Any]:
        """Wait until the nth email of a template is sent; return its request to Resend, and its row as `row`."""
        query = "select id from gatepost.emails where template = $1 order by created_at, id offset $2"
        email_id = await self.sql.fetchval(query, template, number - 1)
        assert email_id is not None, template
        row = await wait_for_status(self, str(email_id), "sent", "delivered")
        sent = self.resend.messages.find(row["provider_id"])
        assert sent is not None
        return {**sent.payload, "row": row}

    async def link_token(self, template: str, number: int = 1) -> str:
        """Return the token of the link in the nth email of a template."""
        found = re.search(rf"{WEB_URL}/[a-z-]+#token=([\w-]+)", (await self.sent_email(template, number))["text"])
        assert found
        return found[1]

    async def count_emails(self, template: str) -> int:
        counted: int = await self.sql.fetchval("select count(*) from gatepost.emails where template = $1", template)
        return counted


def resend_settings(resend: FakeResend) -> dict[str, Any]:
    """Return the settings of a service that sends through a fake Resend."""
    return {
        "mail_transport": ["resend"],
        "mail_from": SENDER,
        "resend_api_key": resend.api_key,
        "resend_base_url": resend.url,
        "resend_webhook_secret": SECRET,
    }


@asynccontextmanager
async def running_mail_service(database_url: str, **changes: Any) -> AsyncIterator[MailService]:
    """Run a service that sends through a fake Resend without limits, which keeps bodies and sends no webhooks."""
    async with (
        FakeResend(rate=None, keep_bodies=True) as resend,
        running_service(database_url, **resend_settings(resend), web_url=WEB_URL, **changes) as service,
    ):
        yield MailService(service.http, service.settings, service.sql, resend)


@asynccontextmanager
async def service_with_resend(database_url: str, **account: Any) -> AsyncIterator[tuple[Service, FakeResend]]:
    """Run a service and a fake Resend, which sends it webhooks; `account` are arguments of `FakeResend`."""
    async with (
        FakeResend(**{"rate": 50} | account) as resend,
        running_service(database_url, **resend_settings(resend)) as service,
    ):
        resend.webhooks = Webhooks(f"{service.http.base_url}/v1/webhooks/resend".replace("//v1", "/v1"))
        yield service, resend


async def pause_mail(service: Service) -> None:
    """Pause every transport for good, as soon as the worker has registered them."""
    pause = "update gatepost.email_transports set paused_until = now() + interval '1 year'"
    async with asyncio.timeout(20):
        while await service.sql.execute(pause) == "UPDATE 0":
            await asyncio.sleep(0.002)


async def queue_email(service: Service, to: str = "ada@acme.com", template: str = "welcome", **more: Any) -> str:
    """Queue a message by SQL and return its id; `more` are further parameters of the function."""
    variables = more.pop("variables", WELCOME)
    names = "".join(f", {name} => ${number}" for number, name in enumerate(more, 4))
    query = f"select gatepost.queue_email($1, $2, $3{names})"
    return str(await service.sql.fetchval(query, template, to, json.dumps(variables), *more.values()))


async def wait_for_email(service: Service, email_id: str, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until the row of a message fits, and return it, with `last_error` as the API shows it."""
    deadline = time.monotonic() + 20
    while True:
        row = dict(await service.sql.fetchrow("select * from gatepost.emails where id = $1", email_id) or {})
        row["last_error"] = error_text(row["error_code"], row["error_message"])
        if fits(row):
            return row
        assert time.monotonic() < deadline, (row["status"], row["attempts"], row["last_error"])
        await asyncio.sleep(0.02)


async def wait_for_status(service: Service, email_id: str, *statuses: str) -> dict[str, Any]:
    """Wait until a message has one of these statuses, and return its row."""
    return await wait_for_email(service, email_id, lambda row: row["status"] in statuses)


async def wait_until_idle(service: Service, resend: FakeResend) -> None:
    """Wait until nothing is being sent, and clear the records of the fake Resend."""
    query = "select count(*) from gatepost.emails where status in ('queued', 'sending')"
    while await service.sql.fetchval(query):
        await asyncio.sleep(0.02)
    resend.messages.clear()
    resend.requests.clear()


async def event_types(service: Service, email_id: str) -> list[str]:
    """Return the types of a message's events in the order of their arrival."""
    query = "select type from gatepost.email_events where email_id = $1 order by id"
    return [row["type"] for row in await service.sql.fetch(query, email_id)]
