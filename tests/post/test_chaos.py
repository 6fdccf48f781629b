"""The post loses nothing and sends nothing twice, whatever is killed, crashes or misbehaves."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from gatepost.db.embedded import EmbeddedPostgres, running
from gatepost.db.migrations import migrate
from gatepost.db.pool import Connection
from tests.post.chaos import SHARES, asked_again, crash, queue, undergo
from tests.post.workers import working
from tests.resend import FakeResend, Mischief

LOST = """
with message as (
  insert into gatepost.emails
    (template, version, locale, recipient, variables, security, alone, queued_by, status, dispatch_id)
  values ('welcome', 0, 'en', 'ada@example.com', '{"login_url": "https://example.com/"}', false, true, 'test',
    'sending', gen_random_uuid())
  returning id, dispatch_id
), dispatch as (
  insert into gatepost.email_dispatches (id, transport, worker, due_at)
  select dispatch_id, 'resend', $1, clock_timestamp() + interval '3.6 seconds' from message
)
select id from message
"""


@pytest.fixture(scope="module")
def server(open_directory: Path) -> Iterator[EmbeddedPostgres]:
    """A server that may crash, and that syncs what it commits."""
    with running(open_directory / "crashing") as server:
        asyncio.run(migrate(server.url))
        yield server


@pytest.fixture
async def sql(database_url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def until_sent(sql: Connection, number: int, seconds: float) -> float:
    """Wait until so many messages are sent, and return how long that took."""
    begun = time.monotonic()
    async with asyncio.timeout(seconds):
        while await sql.fetchval("select count(*) from gatepost.emails where status = 'sent'") < number:
            await asyncio.sleep(0.02)
    return time.monotonic() - begun


async def accepted(resend: FakeResend, number: int) -> None:
    async with asyncio.timeout(15):
        while len(resend.books) < number:
            await asyncio.sleep(0.02)


async def test_every_message_is_accepted_once_whoever_dies(server: EmbeddedPostgres, tmp_path: Path) -> None:
    async with FakeResend(rate=10, mischief=Mischief(7, SHARES)) as resend:
        told = await undergo(server, resend, 500, tmp_path / "workers.log", most_kills=5)
    assert told.wrong == []
    # It was an ordeal: answers were lost, some of them with the worker that waited for them.
    repeated, unheard = asked_again(resend)
    assert (told.crashes, told.kills) == (1, 5)
    assert repeated >= 5
    assert unheard >= 1
    assert len({request.mischief for request in resend.requests}) >= 6
    assert {message.endpoint for message in resend.books} == {"/emails", "/emails/batch"}
    assert sum(len(message.attachments) for message in resend.books) == 50


async def test_a_worker_goes_on_when_the_database_is_back(server: EmbeddedPostgres, tmp_path: Path) -> None:
    async with FakeResend() as resend, working(server.url, resend, 1, tmp_path / "workers.log") as workers:
        first = await queue(server.url, range(1000, 1001), 10, {})
        await accepted(resend, 1)
        before = workers.pids[0]
        await crash(server)
        second = await queue(server.url, range(1001, 1002), 10, {})
        await accepted(resend, 2)
        assert workers.pids[0] == before
    ids = [message.tags["gatepost_email_id"] for message in resend.books]
    assert ids == [first[1000], second[1001]]


async def test_a_storm_spends_no_attempt_and_teaches_the_pace(
    database_url: str, sql: Connection, tmp_path: Path
) -> None:
    async with FakeResend(rate=20) as resend, working(database_url, resend, 1, tmp_path / "workers.log"):
        resend.next("none", "storm:10")
        await queue(database_url, range(40), 1, {})
        await until_sent(sql, 40, 20)
        assert await sql.fetchval("select pace from gatepost.email_transports where name = 'resend'") == 20
    assert sum(request.status == 429 for request in resend.requests) >= 10
    told = await sql.fetch(
        "select attempts, last_error, type from gatepost.emails e join gatepost.email_events v on v.email_id = e.id"
    )
    assert len(told) == 40
    assert {tuple(row) for row in told} == {(1, None, "accepted")}


async def test_a_moment_of_trouble_is_not_taken_for_a_long_one(
    database_url: str, sql: Connection, tmp_path: Path
) -> None:
    async with FakeResend(rate=None) as resend, working(database_url, resend, 1, tmp_path / "workers.log"):
        # All that it has on its way at once: were each to count, the pause would be eight times as long.
        resend.next(*["hang-before:1"] * 8)
        await queue(database_url, range(8), 1, {})
        failures = set()
        while len(resend.books) < 8:
            failures.add(await sql.fetchval("select failures from gatepost.email_transports where trouble_code <> ''"))
            await asyncio.sleep(0.02)
        await until_sent(sql, 8, 10)
        row = await sql.fetchrow("select failures, trouble_code from gatepost.email_transports")
    assert failures == {None, 5}
    assert row is not None
    assert tuple(row) == (0, None)


async def test_what_a_worker_does_not_know_it_has_is_taken_up(
    database_url: str, sql: Connection, tmp_path: Path
) -> None:
    async with FakeResend() as resend, working(database_url, resend, 1, tmp_path / "workers.log") as workers:
        resend.next("hang-before:30")
        await queue(database_url, range(1), 1, {})
        async with asyncio.timeout(10):
            while (
                worker := await sql.fetchval("select worker from gatepost.email_dispatches where tries = 1")
            ) is None:
                await asyncio.sleep(0.02)
        # As after a lease whose answer was lost with its connection: in its hand, and it does not know.
        email_id = await sql.fetchval(LOST, worker)
        await until_sent(sql, 1, 8)
        # It would wait for its answer.
        os.kill(workers.pids[0], signal.SIGKILL)
    assert [message.tags["gatepost_email_id"] for message in resend.books] == [str(email_id)]


async def test_an_answer_that_comes_twice_is_told_once(database_url: str, sql: Connection, tmp_path: Path) -> None:
    async with FakeResend() as resend, working(database_url, resend, 1, tmp_path / "workers.log"):
        await queue(database_url, range(1), 1, {})
        await until_sent(sql, 1, 10)
    # Its commit was not heard of, or another worker repeated the request: either settles it once more.
    await sql.execute(
        "select gatepost.accept_dispatch(gen_random_uuid(), 'resend', array[id], array[provider_id], null, null) "
        "from gatepost.emails"
    )
    assert [row["type"] for row in await sql.fetch("select type from gatepost.email_events")] == ["accepted"]
