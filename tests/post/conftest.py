"""Applications by every driver, and somebody who looks on from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from gatepost.db import Connection
from tests.post.callers import CALLERS, Calling


@pytest.fixture(params=CALLERS)
def calling(request: pytest.FixtureRequest) -> Calling:
    """A driver, by which an application calls."""
    return CALLERS[request.param]


@pytest.fixture
async def sql(database_url: str) -> AsyncIterator[Connection]:
    """Somebody who looks on from outside, in a database that knows a template and has a table of the application's."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("insert into gatepost.builtin_templates values ('welcome', 'en', false)")
    await connection.execute("create table public.members (name text)")
    yield connection
    await connection.close()
