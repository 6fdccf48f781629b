"""The provider's webhooks: events that come early, late, twice or not at all."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from gatepost.db.pool import Database
from gatepost.mail.outbox import store as events
from tests.support import Service
from tests.support.fake_resend import FakeResend, Faults, Webhooks
from tests.support.mail import TAG, event_types, queue_email, service_with_resend, wait_for_email, wait_for_status
from tests.support.provider_webhooks import (
    create_sent_email,
    post_webhook,
    signature_headers,
    stored_events,
    webhook_event,
)

RESET = {"reset_url": "https://acme.com/reset?token=t0ken", "expires_in": "1 hour"}
TRANSIENT = {"type": "Transient", "subType": "MailboxFull", "message": "The mailbox is full.", "diagnosticCode": []}
COMPLAINT = {"reason": "previous_complaint"}
BROWSER = {"ipAddress": "203.0.113.9", "userAgent": "Mozilla/5.0", "timestamp": "2026-11-21T12:00:00Z"}
CLICK = BROWSER | {"link": "https://acme.com/reset?token=t0ken#fragment"}

# Event type, details; the status that follows, part of the error, and why the address is suppressed.
EVENTS: list[tuple[str, dict[str, Any], str, str | None, str | None]] = [
    ("email.delivered", {}, "delivered", None, None),
    ("email.delivery_delayed", {}, "delayed", "Resend will retry", None),
    ("email.bounced", {}, "bounced", "hard bounce", "bounce"),
    ("email.bounced", {"bounce": TRANSIENT}, "bounced", "mailbox is full", None),
    ("email.complained", {}, "complained", "spam", "complaint"),
    ("email.suppressed", {}, "suppressed", "previous_bounce", "bounce"),
    ("email.suppressed", {"suppressed": COMPLAINT}, "suppressed", "previous_complaint", "complaint"),
    ("email.suppressed", {"suppressed": {"reason": "mood"}}, "suppressed", "mood", None),
    ("email.failed", {}, "failed", "reached_daily_quota", None),
    ("email.opened", {"open": BROWSER}, "sent", None, None),
    ("email.clicked", {"click": CLICK}, "sent", None, None),
]


@asynccontextmanager
async def service_without_webhooks(database_url: str, **given: Any) -> AsyncIterator[tuple[Service, FakeResend]]:
    """Run a service whose provider sends no webhooks by itself."""
    async with service_with_resend(database_url, **given) as (service, resend):
        webhooks_of(resend).types = frozenset()
        yield service, resend


def webhooks_of(resend: FakeResend) -> Webhooks:
    assert resend.webhooks is not None
    return resend.webhooks


async def send_events(resend: FakeResend, email_id: str, *types: str, **details: Any) -> None:
    """Send webhooks for events of a message, and wait until they are accepted."""
    webhooks = webhooks_of(resend)
    [message] = resend.messages.tagged(TAG, email_id)
    webhooks.types = frozenset(types)
    resend.send_events(message, *types, **details)
    webhooks.types = frozenset()
    await resend.wait_for_webhooks()
    assert webhooks.given_up == []


@asynccontextmanager
async def event_matching(service: Service) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Yield a function that matches events with messages, as the service does every half a minute."""
    assert service.settings.database_url is not None
    database = await Database.open(service.settings.database_url.get_secret_value(), size=4)
    try:
        yield lambda: events.match_provider_events(database)
    finally:
        await database.close()


async def test_each_event_sets_status_error_and_suppression(database_url: str) -> None:
    async with service_without_webhooks(database_url) as (service, resend):
        admin = await service.register_admin()
        for number, (kind, details, status, text, suppressed) in enumerate(EVENTS):
            to = f"Ada{number}@acme.com"
            email_id = await queue_email(service, to)
            await wait_for_status(service, email_id, "sent")
            await send_events(resend, email_id, "email.sent", kind, **details)
            shown = (await admin.get(f"/v1/emails/{email_id}")).json()
            assert shown["status"] == status, (kind, shown)
            assert (text or "None") in str(shown["last_error"]), kind
            types = [entry["type"] for entry in shown["events"]]
            type_ = "delayed" if kind == "email.delivery_delayed" else kind.removeprefix("email.")
            assert sorted(types) == sorted(["queued", "accepted", "sent", type_])

            listed = (await admin.get(f"/v1/settings/email-suppressions?email={to}")).json()["items"]
            assert [entry["reason"] for entry in listed] == ([suppressed] if suppressed else []), kind
            if suppressed:
                assert (listed[0]["email"], listed[0]["created_by"]) == (to.lower(), "provider")
                after = await wait_for_status(service, await queue_email(service, to), "suppressed")
                assert "suppressions" in after["last_error"]


async def test_no_client_data_and_no_link_secret_is_stored_or_logged(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "gatepost")
    async with service_without_webhooks(database_url) as (service, resend):
        email_id = await queue_email(service)
        await wait_for_status(service, email_id, "sent")
        await send_events(resend, email_id, "email.opened", open=BROWSER)
        await send_events(resend, email_id, "email.clicked", click=CLICK)
        opened, clicked = await stored_events(service)
        assert (opened["type"], opened["detail"]) == ("opened", {})
        assert (clicked["type"], clicked["detail"]) == ("clicked", {"link": "https://acme.com/reset"})
        assert "/v1/webhooks/resend" in caplog.text
        for secret in ("203.0.113.9", "Mozilla", "t0ken"):
            assert secret not in caplog.text


async def test_suppressed_security_email_is_audited(database_url: str) -> None:
    """Whether the provider suppresses it, or Gatepost does after an earlier event."""
    async with service_without_webhooks(database_url) as (service, resend):
        plain = await queue_email(service)
        security = await queue_email(service, "bob@acme.com", "reset-password", variables=RESET)
        for email_id in (plain, security):
            await wait_for_status(service, email_id, "sent")
            await send_events(resend, email_id, "email.suppressed")
        again = await queue_email(service, "bob@acme.com", "reset-password", variables=RESET)
        await queue_email(service)
        assert (await wait_for_status(service, again, "suppressed"))["last_error"]
        query = "select target, detail from gatepost.audit_log where action = 'email.suppressed' order by id"
        rows = [(row["target"], json.loads(row["detail"])) for row in await service.sql.fetch(query)]
        assert rows == [(f"email:{each}", {"template": "reset-password"}) for each in (security, again)]


async def test_a_repeated_event_is_ignored(database_url: str) -> None:
    async with service_without_webhooks(database_url) as (service, _):
        body = json.dumps(
            webhook_event("email.bounced", await create_sent_email(service), bounce={"type": "Permanent"})
        ).encode()
        for age in (200, 100, 0):
            assert (await post_webhook(service, body, signature_headers(body, "msg_1", age))).status_code == 204
        assert len(await stored_events(service)) == 1


async def test_concurrent_requests_with_the_same_event_count_once(database_url: str) -> None:
    async with service_without_webhooks(database_url) as (service, _):
        body = json.dumps(webhook_event("email.suppressed", await create_sent_email(service))).encode()
        await service.sql.execute("update gatepost.emails set security = true")
        watcher = await asyncpg.connect(database_url)
        async with service.sql.transaction():
            # No request can write until all of them wait.
            await service.sql.execute("lock table gatepost.email_events in share row exclusive mode")
            requests = [
                asyncio.create_task(post_webhook(service, body, signature_headers(body, "msg_1"))) for _ in range(5)
            ]
            waiting = "select count(*) from pg_locks where not granted and relation = 'gatepost.email_events'::regclass"
            while await watcher.fetchval(waiting) < 5:
                await asyncio.sleep(0.01)
        await watcher.close()
        assert [response.status_code for response in await asyncio.gather(*requests)] == [204] * 5
        assert len(await stored_events(service)) == 1
        query = "select count(*) from gatepost.audit_log where action = 'email.suppressed'"
        assert await service.sql.fetchval(query) == 1


async def test_the_most_severe_status_remains_in_any_order(database_url: str) -> None:
    types = ("email.sent", "email.delivery_delayed", "email.delivered", "email.opened", "email.complained")
    outcomes = {f"p{number}@acme.com": types for number in range(12)}
    async with service_with_resend(database_url, outcomes=outcomes) as (service, resend):
        webhooks_of(resend).faults = Faults(3, {"shuffled": 0.8, "duplicated": 0.5, "forged": 0.3, "early": 0.3})
        ids = [await queue_email(service, to) for to in outcomes]
        for email_id in ids:
            await wait_for_email(
                service, email_id, lambda row: row["status"] == "complained" and row["provider"] is not None
            )
        await resend.wait_for_webhooks()
        assert {attempt.status for attempt in webhooks_of(resend).attempts} == {204, 401}
        for email_id in ids:
            row = await wait_for_status(service, email_id, "complained")
            assert "spam" in row["last_error"]
            expected = ["accepted", "complained", "delayed", "delivered", "opened", "sent"]
            assert sorted(await event_types(service, email_id)) == expected


@pytest.mark.parametrize("rates", [{"early": 1.0}, {"early": 1.0, "untagged": 1.0}])
async def test_an_event_before_the_response_is_matched(database_url: str, rates: dict[str, float]) -> None:
    async with service_with_resend(database_url, outcomes={"ada@acme.com": ("email.bounced",)}) as (service, resend):
        webhooks_of(resend).faults = Faults(rates=rates)
        email_id = await queue_email(service)
        row = await wait_for_email(
            service, email_id, lambda row: row["status"] == "bounced" and row["provider"] is not None
        )
        assert "hard bounce" in row["last_error"]
        assert (row["batch_id"], row["provider_id"]) == (None, resend.messages[0].id)
        assert await event_types(service, email_id) == ["bounced", "accepted"]
        assert await service.sql.fetchval("select reason from gatepost.email_suppressions") == "bounce"


async def test_events_and_responses_that_commit_concurrently_are_matched_later(database_url: str) -> None:
    """Neither transaction sees the other's event; the regular matching does."""
    async with service_without_webhooks(database_url) as (service, _), event_matching(service) as match_events:
        email_id = await queue_email(service, p_send_at=datetime.now(UTC) + timedelta(days=1))
        provider_id = str(uuid4())
        await service.sql.execute("update gatepost.emails set status = 'sending' where id = $1", email_id)
        async with service.sql.transaction():
            query = "select gatepost.settle_accepted_batch($1, 'resend', array[$2::uuid], array[$3], null, null)"
            await service.sql.execute(query, uuid4(), email_id, provider_id)
            assert (await post_webhook(service, webhook_event("email.bounced", provider_id))).status_code == 204
        assert (await wait_for_status(service, email_id, "sent"))["provider_id"] == provider_id
        assert [each["email_id"] for each in await stored_events(service)] == [None]
        await asyncio.gather(match_events(), match_events(), match_events())
        await wait_for_status(service, email_id, "bounced")
        assert await event_types(service, email_id) == ["accepted", "bounced"]


async def test_many_concurrent_events_and_responses_are_matched(database_url: str) -> None:
    async with service_with_resend(database_url) as (service, resend), event_matching(service) as match_events:
        webhooks_of(resend).faults = Faults(5, {"untagged": 1, "duplicated": 0.3, "early": 0.1})
        ids = [await queue_email(service, f"p{number}@acme.com") for number in range(120)]
        query = "select count(*) from gatepost.emails where provider is null"
        while await service.sql.fetchval(query):
            await asyncio.gather(match_events(), match_events())
        await resend.wait_for_webhooks()
        await match_events()
        assert webhooks_of(resend).given_up == []
        for email_id in ids:
            await wait_for_status(service, email_id, "delivered")
            assert sorted(await event_types(service, email_id)) == ["accepted", "delivered", "sent"]
        assert len(await stored_events(service)) == 240


async def test_events_of_unknown_messages_are_deleted_after_a_month(database_url: str) -> None:
    async with service_without_webhooks(database_url) as (service, _), event_matching(service) as match_events:
        await create_sent_email(service)
        bounce = {"type": "Permanent", "message": "no such user"}
        for tags in ({}, {"app": "theirs"}, {TAG: "theirs"}, {TAG: str(uuid4())}):
            response = await post_webhook(service, webhook_event("email.bounced", bounce=bounce, tags=tags))
            assert response.status_code == 204
        await match_events()
        assert [each["email_id"] for each in await stored_events(service)] == [None] * 4
        assert await service.sql.fetchval("select status from gatepost.emails") == "sent"
        assert await service.sql.fetchval("select count(*) from gatepost.email_suppressions") == 0

        first, second, *_ = await stored_events(service)
        ours = await create_sent_email(service)
        await post_webhook(service, webhook_event(provider_id=ours))
        query = "update gatepost.email_events set received_at = now() - $1::interval where provider_id = $2"
        for provider_id, days in ((first["provider_id"], 31), (second["provider_id"], 29), (ours, 31)):
            await service.sql.execute(query, timedelta(days=days), provider_id)
        await match_events()
        left = [each["provider_id"] for each in await stored_events(service)]
        assert first["provider_id"] not in left
        assert (second["provider_id"] in left, ours in left, len(left)) == (True, True, 4)


@pytest.mark.parametrize(("kind", "status"), [("email.delivered", "delivered"), ("email.opened", "sent")])
async def test_an_event_settles_an_email_of_unknown_outcome(database_url: str, kind: str, status: str) -> None:
    async with service_without_webhooks(database_url) as (service, resend):
        resend.fail_next(*["drop-after"] * 20)
        email_id = await queue_email(service)
        await wait_for_email(service, email_id, lambda row: row["last_error"] is not None)
        await service.sql.execute("update gatepost.email_batches set key_expires_at = now(), due_at = now()")
        assert "may have been sent" in (await wait_for_status(service, email_id, "unknown"))["last_error"]
        await send_events(resend, email_id, kind)
        row = await wait_for_status(service, email_id, status)
        assert (row["provider_id"], row["last_error"]) == (resend.messages[0].id, None)
        assert len(resend.messages) == 1
