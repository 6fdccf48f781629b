"""`send_email` in an application's own transaction, by every driver."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from gatepost import Attachment, Refusal, send_email
from gatepost.db.pool import Connection
from gatepost.errors import Conflict, NotFound, ValidationFailed
from tests.post.callers import ADA, Calling, by_asyncpg


async def test_it_commits_with_the_callers_row(calling: Calling, database_url: str, sql: Connection) -> None:
    async with calling(database_url) as caller:
        await caller.execute("insert into public.members values ('Ada')")
        email_id = await send_email(
            caller.connection, **ADA, locale="en-GB", reply_to="desk@acme.com", queued_by="club"
        )
        assert type(email_id) is UUID
        assert await sql.fetchval("select count(*) from gatepost.emails") == 0
        await caller.commit()

    row = await sql.fetchrow("select * from gatepost.emails cross join public.members")
    assert row is not None
    assert row["id"] == email_id
    assert (row["template"], row["recipient"], row["locale"]) == ("welcome", "ada@acme.com", "en")
    assert (row["reply_to"], row["queued_by"], row["status"]) == ("desk@acme.com", "club", "queued")
    assert json.loads(row["variables"]) == ADA["variables"]


async def test_it_goes_with_the_callers_rollback(calling: Calling, database_url: str, sql: Connection) -> None:
    async with calling(database_url) as caller:
        await caller.execute("insert into public.members values ('Ada')")
        await send_email(caller.connection, **ADA, attachments=[Attachment("a.txt", "text/plain", b"a")])
        await caller.rollback()

    for table in ("gatepost.emails", "gatepost.email_attachments", "public.members"):
        assert await sql.fetchval(f"select count(*) from {table}") == 0


async def test_one_statement_is_sent(calling: Calling, database_url: str, sql: Connection) -> None:
    async with calling(database_url) as caller:
        await caller.execute("set log_statement = 'all'")
        before = await sql.fetchval("select size from pg_stat_file('server.log')")
        await send_email(caller.connection, **ADA)
        pid = await sql.fetchval(
            "select pid from pg_stat_activity where query like '%queue_email(p_template%' and pid <> pg_backend_pid()"
        )
        told = await sql.fetchval("select pg_read_file('server.log', $1, 1000000)", before)
        await caller.rollback()

    sent = [line for line in told.splitlines() if f"[{pid}] LOG:" in line]
    assert len(sent) == 1
    assert "select gatepost.queue_email(" in sent[0]


async def test_an_idempotency_key_queues_once(calling: Calling, database_url: str, sql: Connection) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    ids = set()
    # The clock of wherever each of them runs is no part of the message.
    for zone, at in (("UTC", later), ("Asia/Tokyo", later.astimezone(timezone(timedelta(hours=9))))):
        async with calling(database_url) as caller:
            await caller.execute(f"set time zone '{zone}'")
            ids.add(await send_email(caller.connection, **ADA, idempotency_key="welcome:ada", send_at=at))
            ids.add(await send_email(caller.connection, **ADA, idempotency_key="welcome:ada", send_at=at))
            await caller.commit()
    async with calling(database_url) as caller:
        ids.add(await send_email(caller.connection, **ADA, idempotency_key="welcome:ada", queued_by="another"))
        await caller.commit()

    assert len(ids) == 2
    assert await sql.fetchval("select count(*) from gatepost.emails") == 2


@pytest.mark.parametrize(
    ("changed", "refusal", "words"),
    [
        ({"template": "wellcome"}, NotFound, 'no template "wellcome" with words in "en"'),
        ({"to": "bob@acme.com", "idempotency_key": "1"}, Conflict, "this idempotency key stands for another message"),
        ({"to": "Ada <ada@acme.com>"}, ValidationFailed, "to is no e-mail address"),
        ({"reply_to": "nobody"}, ValidationFailed, "reply_to is no e-mail address"),
        (
            {"expires_at": datetime(2001, 1, 1, tzinfo=UTC)},
            ValidationFailed,
            "expires_at is over before the message is sent",
        ),
    ],
    ids=["template", "key", "to", "reply-to", "expired"],
)
async def test_refusals_are_the_same_for_every_driver(
    calling: Calling,
    database_url: str,
    sql: Connection,
    changed: dict[str, Any],
    refusal: type[Refusal],
    words: str,
) -> None:
    async with by_asyncpg(database_url) as before:
        await send_email(before.connection, **ADA, idempotency_key="1")
        await before.commit()

    async with calling(database_url) as caller:
        with pytest.raises(refusal) as refused:
            await send_email(caller.connection, **{**ADA, **changed})
        assert type(refused.value) is refusal
        assert refused.value.detail == words
        await caller.rollback()
    assert await sql.fetchval("select count(*) from gatepost.emails") == 1


async def test_other_errors_are_the_drivers_own(calling: Calling, database_url: str, sql: Connection) -> None:
    async with calling(database_url) as caller:
        with pytest.raises(NotFound):
            await send_email(caller.connection, **{**ADA, "template": "nothing"})
        with pytest.raises(Exception, match="current transaction is aborted") as failed:
            await send_email(caller.connection, **ADA)
        assert type(failed.value).__module__.partition(".")[0] in ("asyncpg", "psycopg", "sqlalchemy")
        await caller.rollback()


async def test_a_savepoint_outlives_a_refusal(database_url: str, sql: Connection) -> None:
    async with by_asyncpg(database_url) as caller:
        await caller.execute("insert into public.members values ('Ada')")
        with pytest.raises(NotFound):
            async with caller.connection.transaction():
                await send_email(caller.connection, **{**ADA, "template": "nothing"})
        await caller.commit()
    assert await sql.fetchval("select count(*) from public.members") == 1


async def test_attachments_arrive_byte_for_byte(calling: Calling, database_url: str, sql: Connection) -> None:
    files = [
        Attachment("Rechnung Nr. 7, März.pdf", "application/pdf", bytes(range(256)) * 4000),
        Attachment("empty.txt", "text/plain", b""),
        Attachment("100%s.csv", "text/csv", b"%s;$1;:name\r\n"),
    ]
    async with calling(database_url) as caller:
        email_id = await send_email(caller.connection, **ADA, attachments=files)
        await caller.commit()

    rows = await sql.fetch("select * from gatepost.email_attachments where email_id = $1 order by place", email_id)
    assert [Attachment(row["filename"], row["content_type"], row["content"]) for row in rows] == files
    assert await sql.fetchval("select alone from gatepost.emails")


async def test_times_keep_their_moment(calling: Calling, database_url: str, sql: Connection) -> None:
    send_at = datetime(2099, 3, 1, 8, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    expires_at = send_at + timedelta(minutes=10)
    async with calling(database_url) as caller:
        await caller.execute("set time zone 'America/New_York'")
        await caller.execute("set datestyle = 'SQL, DMY'")
        await send_email(caller.connection, **ADA, send_at=send_at, expires_at=expires_at)
        await caller.commit()

    row = await sql.fetchrow("select send_at, due_at, expires_at from gatepost.emails")
    assert row is not None
    assert tuple(row) == (send_at, send_at, expires_at)


async def test_a_role_that_may_only_queue(calling: Calling, database_url: str, sql: Connection) -> None:
    role = f"app_{uuid4().hex[:12]}"
    await sql.execute(f"create role {role} login")
    await sql.execute(f"grant usage on schema gatepost to {role}")
    await sql.execute(f"grant execute on function gatepost.queue_email to {role}")
    as_role = database_url.replace("://gatepost@", f"://{role}@")
    async with calling(as_role) as caller:
        email_id = await send_email(
            caller.connection, **ADA, idempotency_key="1", attachments=[Attachment("a.txt", "text/plain", b"a")]
        )
        await caller.commit()
    assert await sql.fetchval("select id from gatepost.emails") == email_id

    application = await asyncpg.connect(as_role)
    for table in await sql.fetch("select tablename from pg_tables where schemaname = 'gatepost'"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await application.fetch(f"select from gatepost.{table['tablename']}")
    for call in ("cancel_email($1, 'application', null)", "resend_email($1, 'application', null)"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await application.fetch(f"select gatepost.{call}", email_id)
    await application.close()


async def test_queueing_runs_nothing_of_the_callers_as_its_owner(database_url: str, sql: Connection) -> None:
    role = f"app_{uuid4().hex[:12]}"
    await sql.execute(f"create role {role} login")
    await sql.execute(f"grant usage on schema gatepost to {role}")
    await sql.execute(f"grant execute on function gatepost.queue_email to {role}")
    await sql.execute("update gatepost.builtin_templates set security = true")
    await sql.execute(
        "insert into gatepost.email_suppressions (email, reason, created_by) values ('bob@acme.com', 'manual', 'me')"
    )

    application = await asyncpg.connect(database_url.replace("://gatepost@", f"://{role}@"))
    told: list[str] = []
    application.add_log_listener(lambda _, message: told.append(message.message))
    for type_ in ("text", "uuid", "bytea", "jsonb", "timestamptz", "bool", "int4", "int8", "int2", "inet", "interval"):
        await application.execute(f"""
            create function pg_temp.spy(pg_catalog.{type_}) returns pg_catalog.bool language plpgsql
              as $$ begin raise warning '{type_} as %', current_user; return true; end $$;
            create domain pg_temp.{type_} as pg_catalog.{type_} check (pg_temp.spy(value));
        """)
    query = """
        select gatepost.queue_email('welcome', $1, p_idempotency_key => $1,
          p_attachments => '[{"filename": "a.txt", "content_type": "text/plain", "content": "YQ=="}]')
    """
    for to in ("ada@acme.com", "bob@acme.com", "ada@acme.com"):
        await application.fetchval(query, to)
    await application.close()
    assert told == []
    assert await sql.fetchval("select count(*) from gatepost.emails") == 2


async def test_the_sql_of_the_documentation(database_url: str, sql: Connection) -> None:
    page = Path(__file__).parents[2] / "docs" / "sending.md"
    queueing, granting = re.findall(r"```sql\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    await sql.execute("insert into gatepost.builtin_templates values ('new-invoice', 'en', false)")
    await sql.execute("create table public.invoices (number text, client text)")
    await sql.execute(queueing)
    assert await sql.fetchval("select variables ->> 'invoice_number' from gatepost.emails") == "2026-0042"

    role = f"app_{uuid4().hex[:12]}"
    await sql.execute(f"create role {role}")
    await sql.execute(granting.replace(" app;", f" {role};"))
    await sql.execute(f"set role {role}")
    await send_email(sql, **ADA)
