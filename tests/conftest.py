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

import hypothesis
import pytest

from gatepost.db.embedded import running
from tests.support import Service, running_service
from tests.support.database import prepare_server, temporary_database

# In memory a database is copied in a tenth of the time that it takes on a disk.
_MEMORY = Path("/dev/shm")
_MEMORY_NEEDED = 2 * 1024**3
_numbers = itertools.count(1)

# How long one example takes depends on the load of the machine; tests of their own measure what has a time limit.
hypothesis.settings.register_profile("gatepost", deadline=None)
hypothesis.settings.load_profile("gatepost")


def pytest_collection_finish() -> None:
    """Exempt all modules and tests from garbage collection: they stay for the whole run."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> Iterator[None]:
    """Keep the developer's own settings out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith("GATEPOST_"):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def open_directory() -> Iterator[Path]:
    """A directory that PostgreSQL's service account can reach when the tests run as root."""
    in_memory = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _MEMORY_NEEDED
    directory = Path(tempfile.mkdtemp(prefix="gatepost-tests-", dir=_MEMORY if in_memory else None))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def server_url(open_directory: Path) -> Iterator[str]:
    """A PostgreSQL with the template database; it does not sync, for nothing on it outlives the run."""
    with running(open_directory / "data") as server:
        asyncio.run(prepare_server(server.url))
        yield server.url


@pytest.fixture
async def empty_database(server_url: str) -> AsyncIterator[str]:
    """A database without our schema."""
    async with temporary_database(server_url, f"test_{next(_numbers)}", "template0") as url:
        yield url


@pytest.fixture
async def database_url(server_url: str) -> AsyncIterator[str]:
    """A database with our schema."""
    async with temporary_database(server_url, f"test_{next(_numbers)}") as url:
        yield url


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    """The standalone service with the default settings, on a fresh database."""
    async with running_service(database_url) as service:
        yield service
