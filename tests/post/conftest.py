"""Applications by every driver, and somebody who looks on from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from gatepost.db.pool import Connection
from tests.post.callers import CALLERS, Calling
from tests.post.mail import PAGES, Post
from tests.post.support import by_resend
from tests.resend import FakeResend
from tests.support import running_service


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


@pytest.fixture
async def post(database_url: str) -> Any:
    """A service that sends by a Resend of ours, and what it sent."""
    async with (
        FakeResend(rate=None, keep_bodies=True) as resend,
        running_service(database_url, **by_resend(resend), web_url=PAGES) as service,
    ):
        yield Post(service, resend)
