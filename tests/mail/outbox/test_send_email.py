"""`send_email` in an application's own transaction, with every driver."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from gatepost import ApiError, Attachment, send_email
from gatepost.db import Connection
from gatepost.db.errors import DATABASE_ERRORS
from gatepost.errors import Conflict, NotFound, ValidationFailed
from tests.support.db_drivers import WELCOME_ADA, Driver, by_asyncpg


async def test_the_email_is_committed_with_the_callers_transaction(
    driver: Driver, database_url: str, sql: Connection
) -> None:
    async with driver(database_url) as app:
        await app.execute("insert into public.members values ('Ada')")
        email_id = await send_email(
            app.connection, **WELCOME_ADA, locale="en-GB", reply_to="help@acme.com", queued_by="club"
        )
        assert type(email_id) is UUID
        assert await sql.fetchval("select count(*) from gatepost.emails") == 0
        await app.commit()

    row = await sql.fetchrow("select * from gatepost.emails cross join public.members")
    assert row is not None
    assert row["id"] == email_id
    assert (row["template"], row["recipient"], row["locale"]) == ("welcome", "ada@acme.com", "en")
    assert (row["reply_to"], row["queued_by"], row["status"]) == ("help@acme.com", "club", "queued")
    assert json.loads(row["variables"]) == WELCOME_ADA["variables"]


async def test_the_email_is_rolled_back_with_the_callers_transaction(
    driver: Driver, database_url: str, sql: Connection
) -> None:
    async with driver(database_url) as app:
        await app.execute("insert into public.members values ('Ada')")
        await send_email(app.connection, **WELCOME_ADA, attachments=[Attachment("a.txt", "text/plain", b"a")])
        await app.rollback()

    for table in ("gatepost.emails", "gatepost.email_attachments", "public.members"):
        assert await sql.fetchval(f"select count(*) from {table}") == 0


async def test_one_statement_is_executed(driver: Driver, database_url: str, sql: Connection) -> None:
    async with driver(database_url) as app:
        await app.execute("set log_statement = 'all'")
        before = await sql.fetchval("select size from pg_stat_file('server.log')")
        await send_email(app.connection, **WELCOME_ADA)
        pid = await sql.fetchval(
            "select pid from pg_stat_activity where query like '%queue_email(p_template%' and pid <> pg_backend_pid()"
        )
        log = await sql.fetchval("select pg_read_file('server.log', $1, 1000000)", before)
        await app.rollback()

    sent = [line for line in log.splitlines() if f"[{pid}] LOG:" in line]
    assert len(sent) == 1
    assert "select gatepost.queue_email(" in sent[0]


async def test_an_idempotency_key_queues_once(driver: Driver, database_url: str, sql: Connection) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    ids = set()
    # The time zone of the connection is not part of the message.
    for zone, at in (("UTC", later), ("Asia/Tokyo", later.astimezone(timezone(timedelta(hours=9))))):
        async with driver(database_url) as app:
            await app.execute(f"set time zone '{zone}'")
            ids.add(await send_email(app.connection, **WELCOME_ADA, idempotency_key="welcome:ada", send_at=at))
            ids.add(await send_email(app.connection, **WELCOME_ADA, idempotency_key="welcome:ada", send_at=at))
            await app.commit()
    async with driver(database_url) as app:
        ids.add(await send_email(app.connection, **WELCOME_ADA, idempotency_key="welcome:ada", queued_by="another"))
        await app.commit()

    assert len(ids) == 2
    assert await sql.fetchval("select count(*) from gatepost.emails") == 2


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"template": "wellcome"}, NotFound, DATABASE_ERRORS["GP005"].sentence),
        ({"to": "bob@acme.com", "idempotency_key": "1"}, Conflict, DATABASE_ERRORS["GP011"].sentence),
        ({"to": "Ada <ada@acme.com>"}, ValidationFailed, f"to {DATABASE_ERRORS['GP021'].sentence}"),
        ({"reply_to": "nobody"}, ValidationFailed, f"reply_to {DATABASE_ERRORS['GP021'].sentence}"),
        (
            {"idempotency_key": "k" * 301},
            ValidationFailed,
            f"idempotency_key {DATABASE_ERRORS['GP024'].sentence}",
        ),
        (
            {"expires_at": datetime(2001, 1, 1, tzinfo=UTC)},
            ValidationFailed,
            f"expires_at {DATABASE_ERRORS['GP025'].sentence}",
        ),
    ],
    ids=["template", "reused-key", "to", "reply-to", "key", "expired"],
)
async def test_errors_are_the_same_for_every_driver(
    driver: Driver,
    database_url: str,
    sql: Connection,
    changes: dict[str, Any],
    error: type[ApiError],
    message: str,
) -> None:
    async with by_asyncpg(database_url) as before:
        await send_email(before.connection, **WELCOME_ADA, idempotency_key="1")
        await before.commit()

    async with driver(database_url) as app:
        with pytest.raises(error) as caught:
            await send_email(app.connection, **{**WELCOME_ADA, **changes})
        assert type(caught.value) is error
        assert caught.value.detail == message
        if isinstance(caught.value, ValidationFailed):
            assert [each.model_dump()["loc"] for each in caught.value.errors or []] == [list(changes)]
        await app.rollback()
    assert await sql.fetchval("select count(*) from gatepost.emails") == 1


async def test_other_errors_are_the_drivers_own(driver: Driver, database_url: str, sql: Connection) -> None:
    async with driver(database_url) as app:
        with pytest.raises(NotFound):
            await send_email(app.connection, **{**WELCOME_ADA, "template": "nothing"})
        with pytest.raises(Exception, match="current transaction is aborted") as caught:
            await send_email(app.connection, **WELCOME_ADA)
        assert type(caught.value).__module__.partition(".")[0] in ("asyncpg", "psycopg", "sqlalchemy")
        await app.rollback()


async def test_a_transaction_continues_after_an_error_in_a_savepoint(database_url: str, sql: Connection) -> None:
    async with by_asyncpg(database_url) as app:
        await app.execute("insert into public.members values ('Ada')")
        with pytest.raises(NotFound):
            async with app.connection.transaction():
                await send_email(app.connection, **{**WELCOME_ADA, "template": "nothing"})
        await app.commit()
    assert await sql.fetchval("select count(*) from public.members") == 1


async def test_attachments_are_stored_byte_for_byte(driver: Driver, database_url: str, sql: Connection) -> None:
    files = [
        Attachment("Rechnung Nr. 7, März.pdf", "application/pdf", bytes(range(256)) * 4000),
        Attachment("empty.txt", "text/plain", b""),
        Attachment("100%s.csv", "text/csv", b"%s;$1;:name\r\n"),
    ]
    async with driver(database_url) as app:
        email_id = await send_email(app.connection, **WELCOME_ADA, attachments=files)
        await app.commit()

    rows = await sql.fetch("select * from gatepost.email_attachments where email_id = $1 order by position", email_id)
    assert [Attachment(row["filename"], row["content_type"], row["content"]) for row in rows] == files
    assert await sql.fetchval("select alone from gatepost.emails")


async def test_times_do_not_depend_on_the_connections_time_zone(
    driver: Driver, database_url: str, sql: Connection
) -> None:
    send_at = datetime(2099, 3, 1, 8, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    expires_at = send_at + timedelta(minutes=10)
    async with driver(database_url) as app:
        await app.execute("set time zone 'America/New_York'")
        await app.execute("set datestyle = 'SQL, DMY'")
        await send_email(app.connection, **WELCOME_ADA, send_at=send_at, expires_at=expires_at)
        await app.commit()

    row = await sql.fetchrow("select send_at, due_at, expires_at from gatepost.emails")
    assert row is not None
    assert tuple(row) == (send_at, send_at, expires_at)


async def test_a_role_with_execute_only_can_queue_and_read_nothing(
    driver: Driver, database_url: str, sql: Connection
) -> None:
    role = f"app_{uuid4().hex[:12]}"
    await sql.execute(f"create role {role} login")
    await sql.execute(f"grant usage on schema gatepost to {role}")
    await sql.execute(f"grant execute on function gatepost.queue_email to {role}")
    as_role = database_url.replace("://gatepost@", f"://{role}@")
    async with driver(as_role) as app:
        email_id = await send_email(
            app.connection, **WELCOME_ADA, idempotency_key="1", attachments=[Attachment("a.txt", "text/plain", b"a")]
        )
        await app.commit()
    assert await sql.fetchval("select id from gatepost.emails") == email_id

    app_connection = await asyncpg.connect(as_role)
    for table in await sql.fetch("select tablename from pg_tables where schemaname = 'gatepost'"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app_connection.fetch(f"select from gatepost.{table['tablename']}")
    for call in ("cancel_email($1, 'application', null)", "resend_email($1, 'application', null)"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app_connection.fetch(f"select gatepost.{call}", email_id)
    await app_connection.close()


async def test_queueing_runs_no_code_of_the_caller_with_the_owners_rights(database_url: str, sql: Connection) -> None:
    role = f"app_{uuid4().hex[:12]}"
    await sql.execute(f"create role {role} login")
    await sql.execute(f"grant usage on schema gatepost to {role}")
    await sql.execute(f"grant execute on function gatepost.queue_email to {role}")
    await sql.execute("update gatepost.builtin_templates set security = true")
    await sql.execute(
        "insert into gatepost.email_suppressions (email, reason, created_by) values ('bob@acme.com', 'manual', 'me')"
    )

    app_connection = await asyncpg.connect(database_url.replace("://gatepost@", f"://{role}@"))
    warnings: list[str] = []
    app_connection.add_log_listener(lambda _, message: warnings.append(message.message))
    for type_ in ("text", "uuid", "bytea", "jsonb", "timestamptz", "bool", "int4", "int8", "int2", "inet", "interval"):
        await app_connection.execute(f"""
            create function pg_temp.spy(pg_catalog.{type_}) returns pg_catalog.bool language plpgsql
              as $$ begin raise warning '{type_} as %', current_user; return true; end $$;
            create domain pg_temp.{type_} as pg_catalog.{type_} check (pg_temp.spy(value));
        """)
    assert await app_connection.fetchval("select 'x'::pg_temp.text") == "x"
    assert warnings == [f"text as {role}"]
    warnings.clear()
    query = """
        select gatepost.queue_email('welcome', $1, p_idempotency_key => $1,
          p_attachments => '[{"filename": "a.txt", "content_type": "text/plain", "content": "YQ=="}]')
    """
    for to in ("ada@acme.com", "bob@acme.com", "ada@acme.com"):
        await app_connection.fetchval(query, to)
    await app_connection.close()
    assert warnings == []
    assert await sql.fetchval("select count(*) from gatepost.emails") == 2


async def test_the_sql_of_the_documentation(database_url: str, sql: Connection) -> None:
    page = Path(__file__).parents[3] / "docs" / "guides" / "sending.md"
    queueing, granting = re.findall(r"```sql\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    await sql.execute("insert into gatepost.builtin_templates values ('new-invoice', 'en', false)")
    await sql.execute("create table public.invoices (number text, client text)")
    await sql.execute(queueing)
    assert await sql.fetchval("select variables ->> 'invoice_number' from gatepost.emails") == "2026-0043"

    role = f"app_{uuid4().hex[:12]}"
    await sql.execute(f"create role {role}")
    await sql.execute(granting.replace(" app;", f" {role};"))
    await sql.execute(f"set role {role}")
    await send_email(sql, **WELCOME_ADA)
