"""Applications with each database driver, and a database for them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gatepost.db.pool import Connection
from tests.support.database import connect
from tests.support.db_drivers import DRIVERS, Driver


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> Driver:
    """Each database driver in turn."""
    return DRIVERS[request.param]


@pytest.fixture
async def sql(database_url: str) -> AsyncIterator[Connection]:
    """A second connection to a database with a template and a table of the application's own."""
    async with connect(database_url) as connection:
        await connection.execute("insert into gatepost.builtin_templates values ('welcome', 'en', false)")
        await connection.execute("create table public.members (name text)")
        yield connection
