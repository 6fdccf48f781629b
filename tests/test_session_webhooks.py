"""Webhooks to a product's own URL: every end of a session, at least once, whoever fails meanwhile."""

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

from gatepost.db.lease_worker import IN_FLIGHT
from tests.post.support import queue, status_of
from tests.post.workers import working
from tests.receiver import TAKEN, Receiver
from tests.resend.wire import Reply
from tests.shell import run_process
from tests.support import Device, Service, running_service

END = "update gatepost.sessions set ended_at = clock_timestamp(), end_reason = 'evicted' where id = $1"
SOME = """
    insert into gatepost.sessions (user_id, device_kind, expires_at)
    select gen_random_uuid(), 'desktop', now() + interval '1 day' from generate_series(1, $1) returning id
"""
LEFT = "select count(*) from gatepost.webhook_deliveries"
DUE = "update gatepost.webhook_deliveries set due_at = clock_timestamp()"
BROKEN = Reply(500, b"<h1>Oops</h1>")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
async def telling(database_url: str, receiver: Receiver) -> AsyncIterator[Service]:
    """A service that tells the receiver."""
    async with running_service(database_url, max_sessions=3, **receiver.settings) as service:
        yield service


@pytest.fixture
async def sql(database_url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def session_of(sql: Any) -> str:
    return str(await sql.fetchval(SOME, 1))


async def none_left(sql: Any) -> None:
    async with asyncio.timeout(20):
        while await sql.fetchval(LEFT):
            await asyncio.sleep(0.02)


async def listed(device: Device) -> dict[str, Any]:
    """A person's sessions by their ids, the ended ones too."""
    answer = await device.get("/v1/sessions", params={"include": "ended"})
    return {each["id"]: each for each in answer.json()["items"]}


async def test_every_end_is_told_whoever_brings_it_about(
    telling: Service, receiver: Receiver, database_url: str
) -> None:
    first = await telling.register()
    second = await telling.login(first.email)
    assert (await first.delete(f"/v1/sessions/{second.id}")).status_code == 204
    told = [await receiver.end_of(second.id)]
    others = [await telling.login(first.email) for _ in range(2)]
    last = await telling.login(first.email)
    told.append(await receiver.end_of(first.id))
    await telling.sql.execute(END, others[0].id)
    told.append(await receiver.end_of(others[0].id))
    command = ["sessions", "revoke", others[1].id, "--reason", "lost", "--yes"]
    ended = await asyncio.to_thread(run_process, command, {"database_url": database_url, "secret_key": "s" * 40})
    assert ended[0] == 0, ended
    told.append(await receiver.end_of(others[1].id))
    late = await telling.login(first.email)
    past = "update gatepost.sessions set expires_at = now() - interval '1 day' where id = $1"
    await telling.sql.execute(past, late.id)
    assert (await late.refresh()).status_code == 401
    told.append(await receiver.end_of(late.id))

    reasons = [event["data"]["end_reason"] for event in told]
    assert reasons == ["signed_out_elsewhere", "evicted", "evicted", "signed_out_by_admin", "expired"]
    await none_left(telling.sql)
    assert len(receiver.ids) == len(set(receiver.ids)) == len(told)
    sessions = await listed(last)
    for event in told:
        assert event.keys() == {"type", "timestamp", "data"}
        assert event["type"] == "session.ended"
        assert event["data"] == sessions[event["data"]["id"]]
        assert event["data"]["current"] is False
        at = TypeAdapter(datetime).validate_python(event["timestamp"])
        assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)


async def test_a_receiver_that_fails_is_told_the_same_again(telling: Service, receiver: Receiver) -> None:
    receiver.planned += [BROKEN, Reply(410, b"")]
    await telling.sql.execute(END, await session_of(telling.sql))
    await receiver.until(3)
    await none_left(telling.sql)
    assert len(receiver.ids) == 3
    assert len(set(receiver.ids)) == len({request.body for request in receiver.received}) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Reply(200, b"", ending="close"),
        Reply(302, b"", {"location": "/hooks/"}),
        Reply(200, b"", ending="reset"),
    ],
    ids=["no answer", "redirect", "reset"],
)
async def test_what_is_no_2xx_is_no_yes(telling: Service, receiver: Receiver, answer: Reply) -> None:
    receiver.planned += [answer]
    await telling.sql.execute(END, await session_of(telling.sql))
    await none_left(telling.sql)
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1


async def test_an_endless_answer_is_not_read_to_its_end(telling: Service, receiver: Receiver) -> None:
    receiver.planned += [Reply(200, b"x" * (64 << 20))]
    await telling.sql.execute(END, await session_of(telling.sql))
    await none_left(telling.sql)
    assert len(receiver.ids) == 1


@pytest.mark.parametrize("as_date", [False, True])
async def test_a_receiver_may_ask_for_time(telling: Service, receiver: Receiver, as_date: bool) -> None:
    at = datetime.now(UTC) + timedelta(minutes=30)
    asked = format_datetime(at, usegmt=True) if as_date else "1800"
    receiver.planned += [Reply(429, b"", {"retry-after": asked})]
    await telling.sql.execute(END, await session_of(telling.sql))
    await receiver.until(1)
    async with asyncio.timeout(20):
        while not await telling.sql.fetchval(f"{LEFT} where worker is null and tries = 1"):
            await asyncio.sleep(0.02)
    due = await telling.sql.fetchval("select due_at from gatepost.webhook_deliveries")
    assert abs(due - at) < timedelta(minutes=1)
    await telling.sql.execute(DUE)
    await none_left(telling.sql)
    assert len(receiver.ids) == 2


async def test_after_three_days_it_is_given_up_with_one_line(
    database_url: str, sql: Any, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.planned += [BROKEN] * 2
    await sql.execute("insert into gatepost.webhooks values ($1)", receiver.url)
    await sql.execute(END, await session_of(sql))
    await sql.execute("update gatepost.webhook_deliveries set created_at = now() - interval '73 hours'")
    with caplog.at_level(logging.ERROR, "gatepost"):
        async with running_service(database_url, **receiver.settings):
            await receiver.until(1)
            await none_left(sql)
    assert len(receiver.received) == 1
    assert ["webhook given up" in line for line in caplog.messages] == [True]


async def test_what_is_rolled_back_is_not_told(telling: Service, receiver: Receiver) -> None:
    undone, done = [await session_of(telling.sql) for _ in range(2)]
    transaction = telling.sql.transaction()
    await transaction.start()
    await telling.sql.execute(END, undone)
    assert await telling.sql.fetchval(LEFT) == 1
    await transaction.rollback()
    await telling.sql.execute(END, done)
    await receiver.end_of(done)
    await none_left(telling.sql)
    assert [event["data"]["id"] for event in receiver.events] == [done]


async def test_of_many_at_once_each_is_told(telling: Service, receiver: Receiver) -> None:
    ended = {str(row["id"]) for row in await telling.sql.fetch(SOME, 200)}
    await telling.sql.execute("update gatepost.sessions set ended_at = now(), end_reason = 'evicted'")
    await none_left(telling.sql)
    assert {event["data"]["id"] for event in receiver.events} == ended
    assert len(receiver.ids) == len(set(receiver.ids)) == 200


async def test_a_worker_killed_before_it_noted_the_answer_tells_it_again(
    database_url: str, sql: Any, receiver: Receiver, tmp_path: Path
) -> None:
    noting = """
        select exists (select from pg_stat_activity where datname = current_database()
        and wait_event_type = 'Lock' and query like 'delete from gatepost.webhook_deliveries%')
    """
    holding = await asyncpg.connect(database_url)
    held = holding.transaction()

    async def answer_but_let_nobody_note_it() -> Reply:
        await held.start()
        await holding.fetch("select from gatepost.webhook_deliveries for update")
        return TAKEN

    receiver.planned.append(answer_but_let_nobody_note_it)
    async with working(database_url, None, 1, tmp_path / "log", **receiver.settings) as workers:
        async with asyncio.timeout(30):
            while not await sql.fetchval("select exists (select from gatepost.webhooks)"):
                await asyncio.sleep(0.02)
        await sql.execute(END, await session_of(sql))
        async with asyncio.timeout(30):
            while not await sql.fetchval(noting):
                await asyncio.sleep(0.02)
        workers.kill()
        await held.rollback()
        await holding.close()
        # As if its lease were over.
        await sql.execute(DUE)
        await none_left(sql)
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1


async def test_a_stop_puts_down_what_is_on_its_way(database_url: str, sql: Any, receiver: Receiver) -> None:
    receiver.planned += [Reply(0, b"", ending="hang", hang=60)]
    async with running_service(database_url, **receiver.settings):
        await sql.execute(END, await session_of(sql))
        await receiver.until(1)
    assert await sql.fetchval(f"{LEFT} where worker is null and due_at <= clock_timestamp()") == 1
    async with running_service(database_url, **receiver.settings):
        await none_left(sql)
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1


async def test_a_slow_receiver_holds_up_no_mail(telling: Service, receiver: Receiver) -> None:
    hurried = asyncio.Event()

    async def answer_in_the_end() -> Reply:
        await hurried.wait()
        return TAKEN

    receiver.planned += [answer_in_the_end] * 20
    for _ in range(20):
        await telling.sql.execute(END, await session_of(telling.sql))
    await receiver.until(IN_FLIGHT)
    await status_of(telling, await queue(telling), "sent")
    assert len(receiver.ids) == IN_FLIGHT
    hurried.set()
    await none_left(telling.sql)


async def test_a_url_that_is_no_longer_set_is_told_nothing(database_url: str, sql: Any, receiver: Receiver) -> None:
    receiver.planned += [BROKEN] * 1000
    async with running_service(database_url, **receiver.settings):
        await sql.execute(END, await session_of(sql))
        await receiver.until(1)
    assert await sql.fetchval(LEFT) == 1
    async with running_service(database_url):
        assert await sql.fetchval(LEFT) == 0
        await sql.execute(END, await session_of(sql))
        assert await sql.fetchval(LEFT) == 0


async def test_another_url_gets_what_the_old_one_did_not_take(database_url: str, sql: Any, receiver: Receiver) -> None:
    receiver.planned += [BROKEN] * 1000
    ended = await session_of(sql)
    async with running_service(database_url, **receiver.settings):
        await sql.execute(END, ended)
        await receiver.until(1)
    async with Receiver() as another, running_service(database_url, **another.settings):
        await sql.execute(DUE)
        await another.end_of(ended)
        assert await sql.fetchval("select array_agg(url) from gatepost.webhooks") == [another.url]
        assert another.ids[0] == receiver.ids[0]
