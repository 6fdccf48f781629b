"""What `send_email` takes: connections, variables, times."""

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
from tests.post.callers import ADA, Calling, by_asyncpg, engine_on


async def test_variables_that_json_can_say(calling: Calling, database_url: str, sql: Connection) -> None:
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
    async with calling(database_url) as caller:
        await send_email(caller.connection, template="welcome", to="ada@acme.com", variables=variables)
        await caller.commit()

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
    ("variables", "words"),
    [
        ({"name": b"Ada"}, r"variables\['name'\] is of type bytes"),
        ({"lines": [{"amount": {1, 2}}]}, r"variables\['lines'\]\[0\]\['amount'\] is of type set"),
        ({"amount": float("nan")}, r"variables\['amount'\] is nan"),
        ({"who": {7: "Ada"}}, r"variables\['who'\] is a mapping with names that are not str"),
        ({"who": object}, r"variables\['who'\] is of type type"),
    ],
    ids=["bytes", "set", "nan", "names", "class"],
)
async def test_variables_that_json_cannot_say(database_url: str, variables: dict[str, Any], words: str) -> None:
    async with by_asyncpg(database_url) as caller:
        with pytest.raises(TypeError, match=words):
            await send_email(caller.connection, template="welcome", to="ada@acme.com", variables=variables)
        # Nothing has reached the database: the transaction goes on.
        await caller.execute("select 1")
        await caller.rollback()


@pytest.mark.parametrize("name", ["send_at", "expires_at"])
async def test_times_need_a_zone(database_url: str, name: str) -> None:
    naive: Any = {name: datetime(2099, 1, 1)}  # noqa: DTZ001 - the mistake in question
    async with by_asyncpg(database_url) as caller:
        with pytest.raises(ValueError, match=f"{name} has no time zone"):
            await send_email(caller.connection, **ADA, **naive)
        await caller.rollback()


async def test_several_people_at_once_are_refused(database_url: str) -> None:
    several: Any = ["ada@acme.com", "bob@acme.com"]
    async with by_asyncpg(database_url) as caller:
        with pytest.raises(TypeError, match="several messages"):
            await send_email(caller.connection, template="welcome", to=several)
        await caller.rollback()


async def test_connections_that_are_not_known(database_url: str) -> None:
    with sqlite3.connect(":memory:") as unknown:
        await _is_not_known(unknown, "sqlite3.Connection")
    unknown.close()
    with psycopg.connect(database_url) as synchronous:
        await _is_not_known(synchronous, "psycopg.Connection")
    async with asyncpg.create_pool(database_url, min_size=0) as pool:
        await _is_not_known(pool, "asyncpg.pool.Pool")
    async with engine_on(database_url, "psycopg") as engine:
        await _is_not_known(engine, "sqlalchemy.ext.asyncio.engine.AsyncEngine")
    await _is_not_known(None, "builtins.NoneType")


async def _is_not_known(connection: object, name: str) -> None:
    with pytest.raises(TypeError, match=rf"not {name}: with any other, run the SQL `select gatepost.queue_email"):
        await send_email(connection, **ADA)


async def test_connections_that_the_application_has_made_its_own(database_url: str, sql: Connection) -> None:
    class OurConnection(asyncpg.Connection):
        pass

    class OurSession(AsyncSession):
        pass

    with_codecs = await asyncpg.connect(database_url, connection_class=OurConnection)
    await with_codecs.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
    await with_codecs.set_type_codec("uuid", schema="pg_catalog", encoder=str, decoder=bytes.fromhex)
    await send_email(with_codecs, **ADA)
    await with_codecs.close()

    rows_are_dicts = await psycopg.AsyncConnection.connect(database_url, row_factory=dict_row)
    async with rows_are_dicts:
        await send_email(rows_are_dicts, **ADA)
    raw = await psycopg.AsyncConnection.connect(database_url, cursor_factory=psycopg.AsyncRawCursor)
    async with raw:
        await send_email(raw, **ADA)

    async with engine_on(database_url, "asyncpg") as engine:
        sessions = async_sessionmaker(engine, class_=OurSession)
        async with sessions.begin() as session:
            await send_email(session, **ADA)
        scoped = async_scoped_session(sessions, scopefunc=lambda: 1)
        await send_email(scoped, **ADA)
        await scoped.commit()
        await scoped.remove()
    assert await sql.fetchval("select count(*) from gatepost.emails") == 5


def test_it_imports_no_driver() -> None:
    program = "import sys, gatepost.mail.sending; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"asyncpg", "psycopg", "sqlalchemy"} & set(told.stdout.split())
