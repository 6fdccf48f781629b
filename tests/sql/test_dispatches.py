"""Who gets which messages in hand: on the database alone, many at once."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from gatepost.db.pool import Connection, Database

LEASE = timedelta(seconds=10)


async def prepare(sql: Connection) -> None:
    await sql.execute("insert into gatepost.email_transports (name) values ('resend'), ('smtp')")
    builtins = [("welcome", "en", False), ("code", "en", True), ("note", "en", False)]
    await sql.executemany("insert into gatepost.builtin_templates values ($1, $2, $3)", builtins)


async def queue(sql: Any, template: str = "welcome", **more: Any) -> UUID:
    names = "".join(f", {name} => ${place}" for place, name in enumerate(more, 3))
    query = f"select gatepost.queue_email($1, $2{names})"
    queued: UUID = await sql.fetchval(query, template, f"{uuid4().hex}@acme.com", *more.values())
    return queued


async def lease(sql: Any, worker: UUID, *ways: str, most: int = 100) -> asyncpg.Record:
    names = list(ways or ("resend",))
    query = "select * from gatepost.lease_dispatch($1, $2, $3, $4)"
    row: asyncpg.Record = await sql.fetchrow(query, worker, LEASE, names, [most] * len(names))
    return row


async def members(sql: Any, dispatch_id: UUID) -> list[UUID]:
    query = "select id from gatepost.emails where dispatch_id = $1 order by place"
    return [row["id"] for row in await sql.fetch(query, dispatch_id)]


async def freeze(sql: Any, dispatch_id: UUID, worker: UUID) -> int:
    some = await members(sql, dispatch_id)
    query = "select count(*) from gatepost.freeze_dispatch($1, $2, 'a@acme.com', '23 hours', $3, $4, $4)"
    frozen: int = await sql.fetchval(query, dispatch_id, worker, some, ["x"] * len(some))
    return frozen


async def test_security_mail_overtakes_and_then_the_oldest_goes_first(sql: Connection) -> None:
    await prepare(sql)
    plain = [await queue(sql) for _ in range(3)]
    code = await queue(sql, "code")
    found = await lease(sql, uuid4(), most=2)
    assert await members(sql, found["dispatch_id"]) == [code, plain[0]]


async def test_what_must_not_share_a_request_does_not(sql: Connection) -> None:
    await prepare(sql)
    soon = await sql.fetchval("select now() + interval '10 minutes'")
    file = json.dumps([{"filename": "a.txt", "content_type": "text/plain", "content": "YQ=="}])
    groups = [
        {await queue(sql) for _ in range(2)} | {await queue(sql, "note")},
        {await queue(sql, p_attachments=file)},
        {await queue(sql, p_expires_at=soon) for _ in range(2)},
        {await queue(sql, "note", p_expires_at=soon)},
    ]
    worker = uuid4()
    found = [set(await members(sql, (await lease(sql, worker))["dispatch_id"])) for _ in groups]
    assert found == groups
    assert (await lease(sql, worker))["dispatch_id"] is None


async def test_many_workers_never_hold_the_same_message(database: Database) -> None:
    async with database.connection() as sql:
        await prepare(sql)
        for _ in range(300):
            await queue(sql)

    async def work() -> list[UUID]:
        mine: list[UUID] = []
        worker = uuid4()
        while True:
            async with database.transaction() as connection:
                found = await lease(connection, worker, most=7)
                if found["dispatch_id"] is None:
                    return mine
                mine += await members(connection, found["dispatch_id"])

    held = [email_id for mine in await asyncio.gather(*(work() for _ in range(30))) for email_id in mine]
    assert len(held) == len(set(held)) == 300


async def test_a_worker_that_died_before_sending_frees_its_messages(sql: Connection) -> None:
    await prepare(sql)
    email_id = await queue(sql)
    dead, alive = uuid4(), uuid4()
    first = await lease(sql, dead)
    assert (await lease(sql, alive))["dispatch_id"] is None
    await sql.execute("update gatepost.email_dispatches set due_at = now()")
    assert (await lease(sql, alive))["pause"] == 0
    second = await lease(sql, alive)
    assert await members(sql, second["dispatch_id"]) == [email_id]
    assert second["dispatch_id"] != first["dispatch_id"]
    # Whoever comes back to life finds that it is another's.
    assert await freeze(sql, first["dispatch_id"], dead) == 0
    assert await freeze(sql, second["dispatch_id"], dead) == 0


async def test_a_worker_that_died_while_sending_leaves_the_same_bytes_under_the_same_key(sql: Connection) -> None:
    await prepare(sql)
    await queue(sql)
    dead, alive = uuid4(), uuid4()
    key = (await lease(sql, dead))["dispatch_id"]
    assert await freeze(sql, key, dead) == 1
    await sql.execute("update gatepost.email_dispatches set due_at = now()")
    # The other way out would not know the key.
    assert (await lease(sql, alive, "smtp"))["dispatch_id"] is None
    assert (await lease(sql, alive, "resend", "smtp"))["dispatch_id"] == key
    assert await sql.fetchval("select uncertain from gatepost.email_dispatches")
    # A pause does not make it a message again that another request may take.
    await sql.execute("select gatepost.refuse_dispatch($1, $2, 'account', 'x', 'y', '0', null)", key, alive)
    assert await sql.fetchval("select status from gatepost.emails") == "sending"
    assert (await lease(sql, alive, "smtp"))["dispatch_id"] is None


async def test_requests_leave_at_the_pace_and_not_too_many_ahead(sql: Connection) -> None:
    await prepare(sql)
    await sql.execute("update gatepost.email_transports set pace = 2")
    for _ in range(5):
        await queue(sql)
    worker = uuid4()
    found = [await lease(sql, worker, most=1) for _ in range(4)]
    assert [each["pause"] for each in found[:2]] == [0, pytest.approx(0.515, abs=0.2)]
    # The others have to ask again: what comes meanwhile may be more urgent.
    assert [each["dispatch_id"] for each in found[2:]] == [None, None]
    assert 0 < found[2]["pause"] < 1


async def test_one_of_those_that_commit_together_wakes_the_workers(sql: Connection) -> None:
    await prepare(sql)
    woken = asyncio.Event()
    await sql.add_listener("gatepost_emails", lambda *_: woken.set())
    async with sql.transaction():
        await queue(sql)
        await queue(sql)
    async with asyncio.timeout(10):
        await woken.wait()


@pytest.mark.parametrize(
    ("given", "sqlstate"),
    [
        ({"p_template": "nothing"}, "GP404"),
        ({"p_to": "nobody"}, "GP422"),
        ({"p_to": "a@b, c@d"}, "GP422"),
        ({"p_to": "Ada <ada@acme.com>"}, "GP422"),
        ({"p_to": "{ada@acme.com}"}, "GP422"),
        ({"p_to": "ada@acme\x01.com"}, "GP422"),
        ({"p_idempotency_key": ""}, "GP422"),
        ({"p_idempotency_key": "k" * 301}, "GP422"),
        ({"p_to": "ada@acme.com\r\nBcc: eve@acme.com"}, "GP422"),
        ({"p_reply_to": "x"}, "GP422"),
        ({"p_variables": "[]"}, "GP422"),
        ({"p_attachments": "{}"}, "GP422"),
        ({"p_attachments": '[{"filename": "a"}]'}, "GP422"),
        ({"p_attachments": '[{"filename": "a", "content_type": "text/plain", "content": "%"}]'}, "GP422"),
        ({"p_attachments": "[1]"}, "GP422"),
        ({"p_locale": "x" * 100}, "GP404"),
    ],
)
async def test_nonsense_is_refused_by_sql(sql: Connection, given: dict[str, str], sqlstate: str) -> None:
    await prepare(sql)
    arguments = {"p_template": "code", "p_to": "ada@acme.com"} | given
    if sqlstate == "GP404" and "p_locale" in given:
        await sql.execute("delete from gatepost.builtin_templates where locale = 'en'")
    names = ", ".join(f"{name} => ${place}" for place, name in enumerate(arguments, 1))
    with pytest.raises(asyncpg.PostgresError) as refused:
        await sql.fetchval(f"select gatepost.queue_email({names})", *arguments.values())
    assert refused.value.sqlstate == sqlstate
