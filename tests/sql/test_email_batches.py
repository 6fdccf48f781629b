"""Leasing batches of messages: the SQL functions called directly, also by many workers at once."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from gatepost.db import Connection, Database
from tests.support.database import connect

LEASE = timedelta(seconds=10)


async def add_templates(sql: Connection) -> None:
    await sql.execute("insert into gatepost.email_transports (name) values ('resend'), ('smtp')")
    builtins = [("welcome", "en", False), ("code", "en", True), ("note", "en", False)]
    await sql.executemany("insert into gatepost.builtin_templates values ($1, $2, $3)", builtins)


async def queue_email(sql: Any, template: str = "welcome", **more: Any) -> UUID:
    names = "".join(f", {name} => ${number}" for number, name in enumerate(more, 3))
    query = f"select gatepost.queue_email($1, $2{names})"
    queued: UUID = await sql.fetchval(query, template, f"{uuid4().hex}@acme.com", *more.values())
    return queued


async def lease(sql: Any, worker: UUID, *transports: str, limit: int = 100) -> asyncpg.Record:
    names = list(transports or ("resend",))
    query = "select * from gatepost.lease_batch($1, $2, $3, $4)"
    row: asyncpg.Record = await sql.fetchrow(query, worker, LEASE, names, [limit] * len(names))
    return row


async def message_ids(sql: Any, batch_id: UUID) -> list[UUID]:
    query = "select id from gatepost.emails where batch_id = $1 order by position"
    return [row["id"] for row in await sql.fetch(query, batch_id)]


async def freeze(sql: Any, batch_id: UUID, worker: UUID) -> int:
    some = await message_ids(sql, batch_id)
    query = "select count(*) from gatepost.freeze_batch($1, $2, 'a@acme.com', '23 hours', $3, $4, $4)"
    frozen: int = await sql.fetchval(query, batch_id, worker, some, ["x"] * len(some))
    return frozen


async def test_security_email_is_leased_first_and_then_the_oldest(sql: Connection) -> None:
    await add_templates(sql)
    plain = [await queue_email(sql) for _ in range(3)]
    security_email = await queue_email(sql, "code")
    batch = await lease(sql, uuid4(), limit=2)
    assert await message_ids(sql, batch["batch_id"]) == [security_email, plain[0]]


async def test_messages_that_cannot_share_a_request_are_in_different_batches(sql: Connection) -> None:
    await add_templates(sql)
    soon = await sql.fetchval("select now() + interval '10 minutes'")
    file = json.dumps([{"filename": "a.txt", "content_type": "text/plain", "content": "YQ=="}])
    groups = [
        {await queue_email(sql) for _ in range(2)} | {await queue_email(sql, "note")},
        {await queue_email(sql, p_attachments=file)},
        {await queue_email(sql, p_expires_at=soon) for _ in range(2)},
        {await queue_email(sql, "note", p_expires_at=soon)},
    ]
    worker = uuid4()
    batches = [set(await message_ids(sql, (await lease(sql, worker))["batch_id"])) for _ in groups]
    assert batches == groups
    assert (await lease(sql, worker))["batch_id"] is None


async def test_concurrent_workers_never_lease_the_same_message(database: Database) -> None:
    async with database.connection() as sql:
        await add_templates(sql)
        for _ in range(300):
            await queue_email(sql)

    async def work() -> list[UUID]:
        own: list[UUID] = []
        worker = uuid4()
        while True:
            async with database.transaction() as connection:
                batch = await lease(connection, worker, limit=7)
                if batch["batch_id"] is None:
                    return own
                own += await message_ids(connection, batch["batch_id"])

    leased = [email_id for own in await asyncio.gather(*(work() for _ in range(30))) for email_id in own]
    assert len(leased) == len(set(leased)) == 300


async def test_messages_of_a_worker_that_died_before_sending_are_leased_again(sql: Connection) -> None:
    await add_templates(sql)
    email_id = await queue_email(sql)
    dead, alive = uuid4(), uuid4()
    first = await lease(sql, dead)
    assert (await lease(sql, alive))["batch_id"] is None
    await sql.execute("update gatepost.email_batches set due_at = now()")
    assert (await lease(sql, alive))["pause"] == 0
    second = await lease(sql, alive)
    assert await message_ids(sql, second["batch_id"]) == [email_id]
    assert second["batch_id"] != first["batch_id"]
    # The first worker comes back: the batch is not its own any more.
    assert await freeze(sql, first["batch_id"], dead) == 0
    assert await freeze(sql, second["batch_id"], dead) == 0


async def test_a_batch_of_a_worker_that_died_while_sending_keeps_its_key(sql: Connection) -> None:
    await add_templates(sql)
    await queue_email(sql)
    dead, alive = uuid4(), uuid4()
    key = (await lease(sql, dead))["batch_id"]
    assert await freeze(sql, key, dead) == 1
    await sql.execute("update gatepost.email_batches set due_at = now()")
    # Another transport would not know the key.
    assert (await lease(sql, alive, "smtp"))["batch_id"] is None
    assert (await lease(sql, alive, "resend", "smtp"))["batch_id"] == key
    assert await sql.fetchval("select uncertain from gatepost.email_batches")
    # A pause does not make it available to another batch.
    await sql.execute("select gatepost.settle_rejected_batch($1, $2, 'account', 'x', 'y', '0', null)", key, alive)
    assert await sql.fetchval("select status from gatepost.emails") == "sending"
    assert (await lease(sql, alive, "smtp"))["batch_id"] is None


async def test_leases_follow_the_rate_limit(sql: Connection) -> None:
    await add_templates(sql)
    await sql.execute("update gatepost.email_transports set requests_per_second = 2")
    for _ in range(5):
        await queue_email(sql)
    worker = uuid4()
    leases = [await lease(sql, worker, limit=1) for _ in range(4)]
    assert [each["pause"] for each in leases[:2]] == [0, pytest.approx(0.515, abs=0.2)]
    # The others have to ask again: a more urgent message may come meanwhile.
    assert [each["batch_id"] for each in leases[2:]] == [None, None]
    assert 0 < leases[2]["pause"] < 1


class Notifications:
    """The notifications that wake the workers, as a worker receives them."""

    def __init__(self, sql: Connection) -> None:
        self._sql = sql
        self._received: asyncio.Queue[tuple[int, str]] = asyncio.Queue()

    async def listen(self) -> None:
        await self._sql.add_listener(
            "gatepost_emails", lambda _, pid, __, payload: self._received.put_nowait((pid, str(payload)))
        )

    async def senders(self) -> list[int]:
        """Return the process ids of the connections that have sent one since the last call.

        They arrive in the order of their commits, so those before one of our own have all arrived.
        """
        await self._sql.execute("notify gatepost_emails, 'end'")
        found = []
        async with asyncio.timeout(10):
            while (notification := await self._received.get())[1] != "end":
                found.append(notification[0])
        return found


@pytest.fixture
async def notifications(sql: Connection) -> Notifications:
    notifications = Notifications(sql)
    await add_templates(sql)
    await notifications.listen()
    return notifications


async def test_a_commit_with_queued_messages_wakes_the_workers_once(
    sql: Connection, notifications: Notifications
) -> None:
    pid = await sql.fetchval("select pg_backend_pid()")
    async with sql.transaction():
        await queue_email(sql)
        await queue_email(sql)
    assert await notifications.senders() == [pid]
    await queue_email(sql)
    assert await notifications.senders() == [pid]


async def test_a_scheduled_message_and_a_rollback_wake_nobody(sql: Connection, notifications: Notifications) -> None:
    await queue_email(sql, p_send_at=await sql.fetchval("select now() + interval '1 day'"))
    transaction = sql.transaction()
    await transaction.start()
    await queue_email(sql)
    await transaction.rollback()
    assert await notifications.senders() == []


async def test_of_concurrent_commits_only_one_wakes_the_workers(
    sql: Connection, notifications: Notifications, each_database_url: str
) -> None:
    async with connect(each_database_url) as first, connect(each_database_url) as second:
        first_pid = await first.fetchval("select pg_backend_pid()")
        async with first.transaction():
            await queue_email(first)
            # The trigger runs as at the commit, which then waits.
            await first.execute("set constraints all immediate")
            async with second.transaction():
                await queue_email(second)
            assert await notifications.senders() == []
        assert await notifications.senders() == [first_pid]
        async with second.transaction():
            await queue_email(second)
        assert await notifications.senders() == [await second.fetchval("select pg_backend_pid()")]


@pytest.mark.parametrize(
    ("changes", "sqlstate"),
    [
        ({"p_template": "nothing"}, "GP005"),
        ({"p_to": "nobody"}, "GP021"),
        ({"p_to": "a@b, c@d"}, "GP021"),
        ({"p_to": "Ada <ada@acme.com>"}, "GP021"),
        ({"p_to": "{ada@acme.com}"}, "GP021"),
        ({"p_to": "ada@acme\x01.com"}, "GP021"),
        ({"p_idempotency_key": ""}, "GP024"),
        ({"p_idempotency_key": "k" * 301}, "GP024"),
        ({"p_to": "ada@acme.com\r\nBcc: eve@acme.com"}, "GP021"),
        ({"p_reply_to": "x"}, "GP021"),
        ({"p_variables": "[]"}, "GP022"),
        ({"p_attachments": "{}"}, "GP023"),
        ({"p_attachments": '[{"filename": "a"}]'}, "GP023"),
        ({"p_attachments": '[{"filename": "a", "content_type": "text/plain", "content": "%"}]'}, "GP023"),
        ({"p_attachments": "[1]"}, "GP023"),
        ({"p_locale": "x" * 100}, "GP005"),
    ],
)
async def test_invalid_arguments_are_rejected(sql: Connection, changes: dict[str, str], sqlstate: str) -> None:
    await add_templates(sql)
    arguments = {"p_template": "code", "p_to": "ada@acme.com"} | changes
    if sqlstate == "GP005" and "p_locale" in changes:
        await sql.execute("delete from gatepost.builtin_templates where locale = 'en'")
    names = ", ".join(f"{name} => ${number}" for number, name in enumerate(arguments, 1))
    with pytest.raises(asyncpg.PostgresError) as caught:
        await sql.fetchval(f"select gatepost.queue_email({names})", *arguments.values())
    assert caught.value.sqlstate == sqlstate
