"""The hook `on_session_ended` of a host app: called for every session that ends, in any process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI

import gatepost
from gatepost import Session
from tests.support import PASSWORD, http_client, make_settings, running_service, serve_app
from tests.support.database import connect

EVICT = "update gatepost.sessions set ended_at = clock_timestamp(), end_reason = 'evicted' where id = $1"


class Hook:
    """The hook of a host app; its first call fails."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []
        self.called = asyncio.Condition()

    async def __call__(self, session: Session) -> None:
        async with self.called:
            self.sessions.append(session)
            self.called.notify_all()
        if len(self.sessions) == 1:
            raise RuntimeError("an error of the host app")

    async def end_reason_of(self, session_id: str) -> str | None:
        async with asyncio.timeout(15), self.called:
            await self.called.wait_for(lambda: any(str(session.id) == session_id for session in self.sessions))
        return next(session.end_reason for session in self.sessions if str(session.id) == session_id)


@pytest.fixture
async def hook() -> Hook:
    return Hook()


@pytest.fixture
async def host_client(database_url: str, hook: Hook) -> AsyncIterator[Any]:
    app = FastAPI()
    app.include_router(gatepost.create_router(make_settings(database_url), on_session_ended=hook), prefix="/account")
    async with serve_app(app) as url, http_client(url) as client:
        yield client


async def test_the_hook_is_called_however_a_session_ends(host_client: Any, hook: Hook, database_url: str) -> None:
    form = {"email": "ada@example.com", "password": PASSWORD}
    first = (await host_client.post("/account/v1/auth/register", json=form)).json()
    second = (await host_client.post("/account/v1/auth/login", json=form)).json()
    bearer = {"Authorization": f"Bearer {first['access_token']}"}
    await host_client.delete(f"/account/v1/sessions/{second['session']['id']}", headers=bearer)
    assert await hook.end_reason_of(second["session"]["id"]) == "signed_out_elsewhere"

    # In another service, and directly in the database.
    async with running_service(database_url) as other:
        device = await other.login(form["email"])
        await device.post("/v1/auth/logout")
        assert await hook.end_reason_of(device.id) == "signed_out"
        third = await other.login(form["email"])
        await other.sql.execute(EVICT, third.id)
        assert await hook.end_reason_of(third.id) == "evicted"
    assert len(hook.sessions) == len({session.id for session in hook.sessions}) == 3


async def test_sessions_that_ended_while_the_connection_was_lost_are_reported_later(
    host_client: Any, hook: Hook, database_url: str
) -> None:
    form = {"email": "ada@example.com", "password": PASSWORD}
    opened = [(await host_client.post("/account/v1/auth/register", json=form)).json()]
    opened += [(await host_client.post("/account/v1/auth/login", json=form)).json() for _ in range(2)]
    ids = [session["session"]["id"] for session in opened]
    async with connect(database_url) as sql:
        await sql.execute(EVICT, ids[0])
        assert await hook.end_reason_of(ids[0]) == "evicted"
        cut = """
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and query ilike 'listen%gatepost_session_ended%'
        """
        assert len(await sql.fetch(cut)) == 1
        await sql.execute(EVICT, ids[1])
        assert await hook.end_reason_of(ids[1]) == "evicted"
        await sql.execute(EVICT, ids[2])
        assert await hook.end_reason_of(ids[2]) == "evicted"
        assert len(hook.sessions) == 3
