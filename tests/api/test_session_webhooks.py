"""Session webhooks: each ended session is reported at least once, whatever fails meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import TypeAdapter

from gatepost.db.lease_worker import CONCURRENCY
from tests.support import Device, Service, running_service
from tests.support.cli import run_here
from tests.support.database import connect
from tests.support.fake_resend.http_server import Reply
from tests.support.mail import queue_email, wait_for_status
from tests.support.waiting import eventually
from tests.support.webhook_receiver import NO_CONTENT, WebhookReceiver
from tests.support.workers import running_workers

EVICT = "update gatepost.sessions set ended_at = clock_timestamp(), end_reason = 'evicted' where id = $1"
CREATE_SESSIONS = """
    insert into gatepost.sessions (user_id, device_kind, expires_at)
    select gen_random_uuid(), 'desktop', now() + interval '1 day' from generate_series(1, $1) returning id
"""
COUNT_DELIVERIES = "select count(*) from gatepost.webhook_deliveries"
MAKE_DUE = "update gatepost.webhook_deliveries set due_at = clock_timestamp()"
SERVER_ERROR = Reply(500, b"<h1>Oops</h1>")


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    async with WebhookReceiver() as receiver:
        yield receiver


@pytest.fixture
async def service(database_url: str, receiver: WebhookReceiver) -> AsyncIterator[Service]:
    """A service that sends its webhooks to the receiver."""
    async with running_service(database_url, max_sessions=3, **receiver.settings) as service:
        yield service


@pytest.fixture
async def sql(database_url: str) -> AsyncIterator[Any]:
    async with connect(database_url) as connection:
        yield connection


async def create_session(sql: Any) -> str:
    return str(await sql.fetchval(CREATE_SESSIONS, 1))


async def wait_until_delivered(sql: Any) -> None:
    async def delivered() -> bool:
        return bool(await sql.fetchval(COUNT_DELIVERIES) == 0)

    await eventually(delivered)


async def list_sessions(device: Device) -> dict[str, Any]:
    """Return a user's sessions by id, including ended ones."""
    response = await device.get("/v1/sessions", params={"include": "ended"})
    return {session["id"]: session for session in response.json()["items"]}


async def test_a_webhook_is_sent_however_a_session_ends(
    service: Service, receiver: WebhookReceiver, database_url: str
) -> None:
    first = await service.register()
    second = await service.login(first.email)
    assert (await first.delete(f"/v1/sessions/{second.id}")).status_code == 204
    events = [await receiver.wait_for_session(second.id)]
    others = [await service.login(first.email) for _ in range(2)]
    last = await service.login(first.email)
    events.append(await receiver.wait_for_session(first.id))
    await service.sql.execute(EVICT, others[0].id)
    events.append(await receiver.wait_for_session(others[0].id))
    command = ["sessions", "revoke", others[1].id, "--reason", "lost", "--yes"]
    ended = await asyncio.to_thread(run_here, command, {"database_url": database_url, "secret_key": "s" * 40})
    assert ended[0] == 0, ended
    events.append(await receiver.wait_for_session(others[1].id))
    expired = await service.login(first.email)
    past = "update gatepost.sessions set expires_at = now() - interval '1 day' where id = $1"
    await service.sql.execute(past, expired.id)
    assert (await expired.refresh()).status_code == 401
    events.append(await receiver.wait_for_session(expired.id))

    reasons = [event["data"]["end_reason"] for event in events]
    assert reasons == ["signed_out_elsewhere", "evicted", "evicted", "signed_out_by_admin", "expired"]
    await wait_until_delivered(service.sql)
    assert len(receiver.ids) == len(set(receiver.ids)) == len(events)
    sessions = await list_sessions(last)
    for event in events:
        assert event.keys() == {"type", "timestamp", "data"}
        assert event["type"] == "session.ended"
        assert event["data"] == sessions[event["data"]["id"]]
        assert event["data"]["current"] is False
        at = TypeAdapter(datetime).validate_python(event["timestamp"])
        assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)


async def test_a_failed_webhook_is_repeated_unchanged(service: Service, receiver: WebhookReceiver) -> None:
    receiver.planned += [SERVER_ERROR, Reply(410, b"")]
    await service.sql.execute(EVICT, await create_session(service.sql))
    await receiver.wait_for_requests(3)
    await wait_until_delivered(service.sql)
    assert len(receiver.ids) == 3
    assert len(set(receiver.ids)) == len({request.body for request in receiver.requests}) == 1


@pytest.mark.parametrize(
    "response",
    [
        Reply(200, b"", ending="close"),
        Reply(302, b"", {"location": "/hooks/"}),
        Reply(200, b"", ending="reset"),
    ],
    ids=["no answer", "redirect", "reset"],
)
async def test_only_a_2xx_response_counts_as_delivered(
    service: Service, receiver: WebhookReceiver, response: Reply
) -> None:
    receiver.planned += [response]
    await service.sql.execute(EVICT, await create_session(service.sql))
    await wait_until_delivered(service.sql)
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1


async def test_a_huge_response_is_not_read_to_its_end(service: Service, receiver: WebhookReceiver) -> None:
    receiver.planned += [Reply(200, b"x" * (64 << 20))]
    await service.sql.execute(EVICT, await create_session(service.sql))
    await wait_until_delivered(service.sql)
    assert len(receiver.ids) == 1


@pytest.mark.parametrize("as_date", [False, True])
async def test_retry_after_is_respected(service: Service, receiver: WebhookReceiver, as_date: bool) -> None:
    at = datetime.now(UTC) + timedelta(minutes=30)
    retry_after = format_datetime(at, usegmt=True) if as_date else "1800"
    receiver.planned += [Reply(429, b"", {"retry-after": retry_after})]
    await service.sql.execute(EVICT, await create_session(service.sql))
    await receiver.wait_for_requests(1)
    await eventually(lambda: service.sql.fetchval(f"{COUNT_DELIVERIES} where worker is null and attempts = 1"))
    due = await service.sql.fetchval("select due_at from gatepost.webhook_deliveries")
    assert abs(due - at) < timedelta(minutes=1)
    await service.sql.execute(MAKE_DUE)
    await wait_until_delivered(service.sql)
    assert len(receiver.ids) == 2


async def test_a_webhook_is_given_up_after_three_days_with_one_log_line(
    database_url: str, sql: Any, receiver: WebhookReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.planned += [SERVER_ERROR] * 2
    await sql.execute("insert into gatepost.webhooks values ($1)", receiver.url)
    await sql.execute(EVICT, await create_session(sql))
    await sql.execute("update gatepost.webhook_deliveries set created_at = now() - interval '73 hours'")
    with caplog.at_level(logging.ERROR, "gatepost"):
        async with running_service(database_url, **receiver.settings):
            await receiver.wait_for_requests(1)
            await wait_until_delivered(sql)
    assert len(receiver.requests) == 1
    assert ["gave up delivering a webhook" in line for line in caplog.messages] == [True]


async def test_no_webhook_is_sent_for_a_transaction_that_is_rolled_back(
    service: Service, receiver: WebhookReceiver
) -> None:
    undone, done = [await create_session(service.sql) for _ in range(2)]
    transaction = service.sql.transaction()
    await transaction.start()
    await service.sql.execute(EVICT, undone)
    assert await service.sql.fetchval(COUNT_DELIVERIES) == 1
    await transaction.rollback()
    await service.sql.execute(EVICT, done)
    await receiver.wait_for_session(done)
    await wait_until_delivered(service.sql)
    assert [event["data"]["id"] for event in receiver.events] == [done]


async def test_many_sessions_ended_at_once_send_one_webhook_each(service: Service, receiver: WebhookReceiver) -> None:
    ended = {str(row["id"]) for row in await service.sql.fetch(CREATE_SESSIONS, 200)}
    await service.sql.execute("update gatepost.sessions set ended_at = now(), end_reason = 'evicted'")
    await wait_until_delivered(service.sql)
    assert {event["data"]["id"] for event in receiver.events} == ended
    assert len(receiver.ids) == len(set(receiver.ids)) == 200


async def test_a_webhook_is_repeated_if_the_worker_is_killed_before_it_records_the_response(
    database_url: str, sql: Any, receiver: WebhookReceiver, tmp_path: Path
) -> None:
    recording = """
        select exists (select from pg_stat_activity where datname = current_database()
        and wait_event_type = 'Lock' and query like 'delete from gatepost.webhook_deliveries%')
    """
    blocker = await asyncpg.connect(database_url)
    transaction = blocker.transaction()

    async def reply_and_block_the_worker() -> Reply:
        await transaction.start()
        await blocker.fetch("select from gatepost.webhook_deliveries for update")
        return NO_CONTENT

    receiver.planned.append(reply_and_block_the_worker)
    async with running_workers(database_url, None, 1, tmp_path / "log", **receiver.settings) as workers:
        await eventually(lambda: sql.fetchval("select exists (select from gatepost.webhooks)"), 30)
        await sql.execute(EVICT, await create_session(sql))
        await eventually(lambda: sql.fetchval(recording), 30)
        workers.kill()
        await transaction.rollback()
        await blocker.close()
        # As if its lease had run out.
        await sql.execute(MAKE_DUE)
        await wait_until_delivered(sql)
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1


async def test_stopping_returns_webhooks_in_progress_to_the_queue(
    database_url: str, sql: Any, receiver: WebhookReceiver
) -> None:
    receiver.planned += [Reply(0, b"", ending="hang", hang=60)]
    async with running_service(database_url, **receiver.settings):
        await sql.execute(EVICT, await create_session(sql))
        await receiver.wait_for_requests(1)
    assert await sql.fetchval(f"{COUNT_DELIVERIES} where worker is null and due_at <= clock_timestamp()") == 1
    async with running_service(database_url, **receiver.settings):
        await wait_until_delivered(sql)
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1


async def test_a_slow_receiver_does_not_delay_email(service: Service, receiver: WebhookReceiver) -> None:
    released = asyncio.Event()

    async def reply_when_released() -> Reply:
        await released.wait()
        return NO_CONTENT

    receiver.planned += [reply_when_released] * 20
    for _ in range(20):
        await service.sql.execute(EVICT, await create_session(service.sql))
    await receiver.wait_for_requests(CONCURRENCY)
    await wait_for_status(service, await queue_email(service), "sent")
    assert len(receiver.ids) == CONCURRENCY
    released.set()
    await wait_until_delivered(service.sql)


async def test_no_webhook_is_sent_once_the_url_is_no_longer_set(
    database_url: str, sql: Any, receiver: WebhookReceiver
) -> None:
    receiver.planned += [SERVER_ERROR] * 1000
    async with running_service(database_url, **receiver.settings):
        await sql.execute(EVICT, await create_session(sql))
        await receiver.wait_for_requests(1)
    assert await sql.fetchval(COUNT_DELIVERIES) == 1
    async with running_service(database_url):
        assert await sql.fetchval(COUNT_DELIVERIES) == 0
        await sql.execute(EVICT, await create_session(sql))
        assert await sql.fetchval(COUNT_DELIVERIES) == 0


async def test_a_changed_url_gets_undelivered_webhooks(database_url: str, sql: Any, receiver: WebhookReceiver) -> None:
    receiver.planned += [SERVER_ERROR] * 1000
    ended = await create_session(sql)
    async with running_service(database_url, **receiver.settings):
        await sql.execute(EVICT, ended)
        await receiver.wait_for_requests(1)
    async with WebhookReceiver() as second, running_service(database_url, **second.settings):
        await sql.execute(MAKE_DUE)
        await second.wait_for_session(ended)
        assert await sql.fetchval("select array_agg(url) from gatepost.webhooks") == [second.url]
        assert second.ids[0] == receiver.ids[0]
