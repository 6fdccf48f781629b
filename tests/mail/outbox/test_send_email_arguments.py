"""The arguments of `send_email`: connections, variables, times."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import asyncpg
import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session, async_sessionmaker

from gatepost import send_email
from gatepost.db.pool import Connection
from tests.support.db_drivers import WELCOME_ADA, Driver, by_asyncpg, sqlalchemy_engine


async def test_variables_are_converted_to_json(driver: Driver, database_url: str, sql: Connection) -> None:
    some_id = uuid4()
    variables = {
        "text": 'Ä "\\" %s $1 :name 💌',
        "number": 12.5,
        "none": None,
        "yes": True,
        "price": Decimal("480.00"),
        "day": date(2027, 1, 31),
        "at": datetime(2027, 1, 31, 12, tzinfo=UTC),
        "id": some_id,
        "lines": ({"amount": Decimal("1.10")}, {"amount": 2}),
    }
    async with driver(database_url) as app:
        await send_email(app.connection, template="welcome", to="ada@acme.com", variables=variables)
        await app.commit()

    assert json.loads(await sql.fetchval("select variables from gatepost.emails")) == {
        "text": 'Ä "\\" %s $1 :name 💌',
        "number": 12.5,
        "none": None,
        "yes": True,
        "price": "480.00",
        "day": "2027-01-31",
        "at": "2027-01-31T12:00:00+00:00",
        "id": str(some_id),
        "lines": [{"amount": "1.10"}, {"amount": 2}],
    }


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"name": b"Ada"}, r"variables\['name'\] is of type bytes"),
        ({"lines": [{"amount": {1, 2}}]}, r"variables\['lines'\]\[0\]\['amount'\] is of type set"),
        ({"amount": float("nan")}, r"variables\['amount'\] is nan"),
        ({"who": {7: "Ada"}}, r"variables\['who'\] is a mapping with keys other than str"),
        ({"who": object}, r"variables\['who'\] is of type type"),
    ],
    ids=["bytes", "set", "nan", "names", "class"],
)
async def test_variables_that_are_not_json_are_type_errors(
    database_url: str, variables: dict[str, Any], message: str
) -> None:
    async with by_asyncpg(database_url) as app:
        with pytest.raises(TypeError, match=message):
            await send_email(app.connection, template="welcome", to="ada@acme.com", variables=variables)
        # Nothing was sent to the database: the transaction continues.
        await app.execute("select 1")
        await app.rollback()


@pytest.mark.parametrize("name", ["send_at", "expires_at"])
async def test_times_need_a_time_zone(database_url: str, name: str) -> None:
    naive: Any = {name: datetime(2099, 1, 1)}  # noqa: DTZ001 - the error under test
    async with by_asyncpg(database_url) as app:
        with pytest.raises(ValueError, match=f"{name} has no time zone"):
            await send_email(app.connection, **WELCOME_ADA, **naive)
        await app.rollback()


async def test_several_recipients_are_a_type_error(database_url: str) -> None:
    recipients: Any = ["ada@acme.com", "bob@acme.com"]
    async with by_asyncpg(database_url) as app:
        with pytest.raises(TypeError, match="once for each recipient"):
            await send_email(app.connection, template="welcome", to=recipients)
        await app.rollback()


async def test_unsupported_connections_are_type_errors(database_url: str) -> None:
    with sqlite3.connect(":memory:") as unsupported:
        await assert_unsupported(unsupported, "sqlite3.Connection")
    unsupported.close()
    with psycopg.connect(database_url) as synchronous:
        await assert_unsupported(synchronous, "psycopg.Connection")
    async with asyncpg.create_pool(database_url, min_size=0) as pool:
        await assert_unsupported(pool, "asyncpg.pool.Pool")
    async with sqlalchemy_engine(database_url, "psycopg") as engine:
        await assert_unsupported(engine, "sqlalchemy.ext.asyncio.engine.AsyncEngine")
    await assert_unsupported(None, "builtins.NoneType")


async def assert_unsupported(connection: object, name: str) -> None:
    with pytest.raises(TypeError, match=rf"does not support {name}\. .*run the SQL `select gatepost.queue_email"):
        await send_email(connection, **WELCOME_ADA)


async def test_customised_connections_are_supported(database_url: str, sql: Connection) -> None:
    class OurConnection(asyncpg.Connection):
        pass

    class OurSession(AsyncSession):
        pass

    with_codecs = await asyncpg.connect(database_url, connection_class=OurConnection)
    await with_codecs.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
    await with_codecs.set_type_codec("uuid", schema="pg_catalog", encoder=str, decoder=bytes.fromhex)
    await send_email(with_codecs, **WELCOME_ADA)
    await with_codecs.close()

    rows_are_dicts = await psycopg.AsyncConnection.connect(database_url, row_factory=dict_row)
    async with rows_are_dicts:
        await send_email(rows_are_dicts, **WELCOME_ADA)
    raw = await psycopg.AsyncConnection.connect(database_url, cursor_factory=psycopg.AsyncRawCursor)
    async with raw:
        await send_email(raw, **WELCOME_ADA)

    async with sqlalchemy_engine(database_url, "asyncpg") as engine:
        sessions = async_sessionmaker(engine, class_=OurSession)
        async with sessions.begin() as session:
            await send_email(session, **WELCOME_ADA)
        scoped = async_scoped_session(sessions, scopefunc=lambda: 1)
        await send_email(scoped, **WELCOME_ADA)
        await scoped.commit()
        await scoped.remove()
    assert await sql.fetchval("select count(*) from gatepost.emails") == 5


def test_no_driver_is_imported() -> None:
    program = "import sys, gatepost.mail.sending; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"asyncpg", "psycopg", "sqlalchemy"} & set(done.stdout.split())
