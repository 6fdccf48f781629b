"""A real PostgreSQL for the whole run, and a fresh database for each test, copied from a template."""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import hypothesis
import pytest

from gatepost.db.embedded import running
from gatepost.db.migrations import migrate
from tests.support import Service, running_service

_TEMPLATE = "gatepost_template"
# Where it exists, files are memory: a database is copied there in a tenth of the time that a disk takes.
_MEMORY = Path("/dev/shm")
_ROOM = 2 * 1024**3
_databases = itertools.count(1)

# How long one example takes says how busy the machine is; what may not take long, a test of its own measures.
hypothesis.settings.register_profile("gatepost", deadline=None)
hypothesis.settings.load_profile("gatepost")


def pytest_collection_finish() -> None:
    """Keep what is there from the start, all modules and tests, out of each round of the garbage collector."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> Iterator[None]:
    """Keep the settings of whoever runs the tests out of them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith("GATEPOST_"):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def open_directory() -> Iterator[Path]:
    """A directory that PostgreSQL's service account can reach when the tests run as root."""
    in_memory = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM
    directory = Path(tempfile.mkdtemp(prefix="gatepost-tests-", dir=_MEMORY if in_memory else None))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def server_url(open_directory: Path) -> Iterator[str]:
    """A PostgreSQL with the template database; nothing on it outlives the run, so nothing is synced."""
    with running(open_directory / "data") as server:
        asyncio.run(_prepare(server.url))
        yield server.url


@pytest.fixture
async def empty_database(server_url: str) -> AsyncIterator[str]:
    """A database without our schema."""
    async for url in _database(server_url, "template0"):
        yield url


@pytest.fixture
async def database_url(server_url: str) -> AsyncIterator[str]:
    """A database with our schema."""
    async for url in _database(server_url, _TEMPLATE):
        yield url


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    """The standalone service with the default settings, on a fresh database."""
    async with running_service(database_url) as service:
        yield service


async def _prepare(url: str) -> None:
    connection = await asyncpg.connect(url)
    for setting in (
        "fsync = off",
        "synchronous_commit = off",
        "full_page_writes = off",
        "max_wal_size = 256",
        "max_connections = 100",
    ):
        await connection.execute(f"alter system set {setting}")
    await connection.execute("select pg_reload_conf()")
    await connection.execute(f"create database {_TEMPLATE}")
    await connection.close()
    await migrate(_address_of(url, _TEMPLATE))


async def _database(server_url: str, template: str) -> AsyncIterator[str]:
    name = f"test_{next(_databases)}"
    connection = await asyncpg.connect(server_url)
    await connection.execute(f"create database {name} template {template}")
    yield _address_of(server_url, name)
    await connection.execute(f"drop database {name} with (force)")
    await connection.close()


def _address_of(server_url: str, name: str) -> str:
    return server_url.replace("/postgres?", f"/{name}?")
