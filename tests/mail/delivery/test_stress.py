"""Email is neither lost nor sent twice when workers are killed, the database crashes and the provider fails."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gatepost.db.embedded import EmbeddedPostgres, running
from gatepost.db.migrations import migrate
from gatepost.db.pool import Connection
from tests.support.database import connect
from tests.support.fake_resend import FakeResend, Faults
from tests.support.mail import TAG
from tests.support.stress import FAULT_RATES, crash_database, queue_messages, repeated_keys, run_stress_test
from tests.support.waiting import eventually
from tests.support.workers import running_workers

LOSE_LEASE = """
with message as (
  insert into gatepost.emails
    (template, version, locale, recipient, variables, security, alone, queued_by, status, batch_id)
  values ('welcome', 0, 'en', 'ada@example.com', '{"login_url": "https://example.com/"}', false, true, 'test',
    'sending', gen_random_uuid())
  returning id, batch_id
), batch as (
  insert into gatepost.email_batches (id, transport, worker, due_at)
  select batch_id, 'resend', $1, clock_timestamp() + interval '3.6 seconds' from message
)
select id from message
"""


@pytest.fixture(scope="module")
def crashing_server(open_directory: Path) -> Iterator[EmbeddedPostgres]:
    """A server that may crash: unlike the others it syncs what it commits."""
    with running(open_directory / "crashing") as crashing_server:
        asyncio.run(migrate(crashing_server.url))
        yield crashing_server


@pytest.fixture
async def sql(database_url: str) -> AsyncIterator[Connection]:
    async with connect(database_url) as connection:
        yield connection


async def wait_until_sent(sql: Connection, number: int, seconds: float) -> None:
    """Wait until so many messages are sent."""
    query = "select count(*) >= $1 from gatepost.emails where status = 'sent'"
    await eventually(lambda: sql.fetchval(query, number), seconds)


async def wait_until_accepted(resend: FakeResend, number: int) -> None:
    async with asyncio.timeout(15):
        while len(resend.messages) < number:
            await asyncio.sleep(0.02)


async def test_every_message_is_accepted_once_despite_kills_and_a_crash(
    crashing_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    async with FakeResend(rate=10, faults=Faults(7, FAULT_RATES)) as resend:
        result = await run_stress_test(crashing_server, resend, 500, tmp_path / "workers.log", max_kills=5)
    assert result.errors == []
    # Responses were lost, some of them with the worker that waited for them.
    repeated, unheard = repeated_keys(resend)
    assert (result.crashes, result.kills) == (1, 5)
    assert repeated >= 5
    assert unheard >= 1
    assert len({request.fault for request in resend.requests}) >= 6
    assert {message.endpoint for message in resend.messages} == {"/emails", "/emails/batch"}
    assert sum(len(message.attachments) for message in resend.messages) == 50


async def test_a_worker_continues_when_the_database_is_back(crashing_server: EmbeddedPostgres, tmp_path: Path) -> None:
    async with (
        FakeResend() as resend,
        running_workers(crashing_server.url, resend, 1, tmp_path / "workers.log") as workers,
    ):
        first = await queue_messages(crashing_server.url, range(1000, 1001), 10, {})
        await wait_until_accepted(resend, 1)
        before = workers.pids[0]
        await crash_database(crashing_server)
        second = await queue_messages(crashing_server.url, range(1001, 1002), 10, {})
        await wait_until_accepted(resend, 2)
        assert workers.pids[0] == before
    ids = [message.tags[TAG] for message in resend.messages]
    assert ids == [first[1000], second[1001]]


async def test_rate_limit_responses_are_no_attempts_and_teach_the_rate_limit(
    database_url: str, sql: Connection, tmp_path: Path
) -> None:
    async with FakeResend(rate=20) as resend, running_workers(database_url, resend, 1, tmp_path / "workers.log"):
        resend.fail_next("none", "rate-limit:10")
        await queue_messages(database_url, range(40), 1, {})
        await wait_until_sent(sql, 40, 20)
        assert (
            await sql.fetchval("select requests_per_second from gatepost.email_transports where name = 'resend'") == 20
        )
    assert sum(request.status == 429 for request in resend.requests) >= 10
    result = await sql.fetch(
        "select attempts, error_code, type from gatepost.emails e join gatepost.email_events v on v.email_id = e.id"
    )
    assert len(result) == 40
    assert {tuple(row) for row in result} == {(1, None, "accepted")}


async def test_failures_of_concurrent_requests_count_once(database_url: str, sql: Connection, tmp_path: Path) -> None:
    async with FakeResend(rate=None) as resend, running_workers(database_url, resend, 1, tmp_path / "workers.log"):
        # All requests at the same time: if each failure counted, the pause would be eight times as long.
        resend.fail_next(*["hang-before:1"] * 8)
        await queue_messages(database_url, range(8), 1, {})
        failures = set()
        while len(resend.messages) < 8:
            failures.add(await sql.fetchval("select failures from gatepost.email_transports where error_code <> ''"))
            await asyncio.sleep(0.02)
        await wait_until_sent(sql, 8, 10)
        row = await sql.fetchrow("select failures, error_code from gatepost.email_transports")
    assert failures == {None, 5}
    assert row is not None
    assert tuple(row) == (0, None)


async def test_a_batch_whose_lease_response_was_lost_is_sent(
    database_url: str, sql: Connection, tmp_path: Path
) -> None:
    async with FakeResend() as resend, running_workers(database_url, resend, 1, tmp_path / "workers.log") as workers:
        resend.fail_next("hang-before:30")
        await queue_messages(database_url, range(1), 1, {})
        async with asyncio.timeout(10):
            while (
                worker := await sql.fetchval("select worker from gatepost.email_batches where attempts = 1")
            ) is None:
                await asyncio.sleep(0.02)
        # As after a lease whose response was lost with its connection: the worker has it and does not know.
        email_id = await sql.fetchval(LOSE_LEASE, worker)
        await wait_until_sent(sql, 1, 8)
        # The worker would wait for the response to the first request.
        os.kill(workers.pids[0], signal.SIGKILL)
    assert [message.tags[TAG] for message in resend.messages] == [str(email_id)]


async def test_an_acceptance_recorded_twice_has_one_event(database_url: str, sql: Connection, tmp_path: Path) -> None:
    async with FakeResend() as resend, running_workers(database_url, resend, 1, tmp_path / "workers.log"):
        await queue_messages(database_url, range(1), 1, {})
        await wait_until_sent(sql, 1, 10)
    # As when the commit's response was lost, or another worker repeated the request.
    await sql.execute(
        "select gatepost.settle_accepted_batch(gen_random_uuid(), 'resend', array[id], array[provider_id], null, null) "
        "from gatepost.emails"
    )
    assert [row["type"] for row in await sql.fetch("select type from gatepost.email_events")] == ["accepted"]
