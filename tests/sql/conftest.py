"""The same SQL on every PostgreSQL that is at hand: the embedded one, and Debian's 15 where it is installed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from gatepost.db import embedded, embedded_home
from gatepost.db.migrations import migrate
from gatepost.db.pool import Database

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="session")
def debian_url(open_directory: Path) -> Iterator[str]:
    """Debian's PostgreSQL 15, run as the embedded one is."""
    if not (DEBIAN_15 / "initdb").exists():
        pytest.skip("Debian's PostgreSQL 15 is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded_home, "binaries", lambda: DEBIAN_15)
        server = embedded.EmbeddedPostgres.start(open_directory / "debian")
    yield server.url
    server.stop()


@pytest.fixture(scope="session", params=["embedded", "debian"])
def each_server(request: pytest.FixtureRequest) -> str:
    """The address of each PostgreSQL in turn."""
    url: str = request.getfixturevalue("server_url" if request.param == "embedded" else "debian_url")
    return url


@pytest.fixture
async def sql(each_server: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A connection to a migrated database on each PostgreSQL."""
    connection = await asyncpg.connect(each_server)
    await connection.execute("create database functions")
    url = each_server.replace("/postgres?", "/functions?")
    await migrate(url)
    inside = await asyncpg.connect(url)
    yield inside
    await inside.close()
    await connection.execute("drop database functions with (force)")
    await connection.close()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Our pool on a fresh database of the embedded PostgreSQL, with room for many who write at once."""
    database = await Database.open(database_url, size=60)
    yield database
    await database.close()
