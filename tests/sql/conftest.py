"""The same SQL on every PostgreSQL that is installed: the embedded one, and Debian's 15."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gatepost.db import Connection, Database, embedded
from tests.support.database import connect, prepare_server, temporary_database

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="session")
def debian_url(open_directory: Path) -> Iterator[str]:
    """Debian's PostgreSQL 15, run as the embedded one is."""
    if not (DEBIAN_15 / "initdb").exists():
        pytest.skip("Debian's PostgreSQL 15 is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded, "binaries", lambda: DEBIAN_15)
        server = embedded.EmbeddedPostgres.start(open_directory / "debian")
    asyncio.run(prepare_server(server.url))
    yield server.url
    server.stop()


@pytest.fixture(scope="session", params=["embedded", "debian"])
def each_server(request: pytest.FixtureRequest) -> str:
    """The URL of each PostgreSQL in turn."""
    url: str = request.getfixturevalue("server_url" if request.param == "embedded" else "debian_url")
    return url


@pytest.fixture
async def each_database_url(each_server: str) -> AsyncIterator[str]:
    """A database with our schema, on each PostgreSQL."""
    async with temporary_database(each_server, "functions") as url:
        yield url


@pytest.fixture
async def sql(each_database_url: str) -> AsyncIterator[Connection]:
    """A connection to a database with our schema, on each PostgreSQL."""
    async with connect(each_database_url) as connection:
        yield connection


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Our pool on a fresh database of the embedded PostgreSQL, large enough for many concurrent writers."""
    database = await Database.open(database_url, size=60)
    yield database
    await database.close()
