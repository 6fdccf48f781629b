"""A host's own hook: told of every session that ends, by whom and wherever that may be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from fastapi import FastAPI

import gatepost
from gatepost import Session
from tests.support import PASSWORD, Device, client_of, running_service, serving, settings_for

END = "update gatepost.sessions set ended_at = clock_timestamp(), end_reason = 'evicted' where id = $1"


class Told:
    """What the host has heard; the first call fails."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []
        self.some = asyncio.Condition()

    async def __call__(self, session: Session) -> None:
        async with self.some:
            self.sessions.append(session)
            self.some.notify_all()
        if len(self.sessions) == 1:
            raise RuntimeError("the host's own mistake")

    async def reason_of(self, session_id: str) -> str | None:
        async with asyncio.timeout(15), self.some:
            await self.some.wait_for(lambda: any(str(each.id) == session_id for each in self.sessions))
        return next(each.end_reason for each in self.sessions if str(each.id) == session_id)


@pytest.fixture
async def told() -> Told:
    return Told()


@pytest.fixture
async def host(database_url: str, told: Told) -> AsyncIterator[Any]:
    app = FastAPI()
    app.include_router(gatepost.create_router(settings_for(database_url), on_session_ended=told), prefix="/account")
    async with serving(app) as url, client_of(url) as client:
        yield client


async def test_the_host_is_told_whoever_ends_a_session(host: Any, told: Told, database_url: str) -> None:
    form = {"email": "ada@example.com", "password": PASSWORD}
    first = (await host.post("/account/v1/auth/register", json=form)).json()
    second = (await host.post("/account/v1/auth/login", json=form)).json()
    bearer = {"Authorization": f"Bearer {first['access_token']}"}
    await host.delete(f"/account/v1/sessions/{second['session']['id']}", headers=bearer)
    assert await told.reason_of(second["session"]["id"]) == "signed_out_elsewhere"

    # In another process, and by nobody's request.
    async with running_service(database_url) as other:
        device = await other.login(form["email"])
        await device.post("/v1/auth/logout")
        assert await told.reason_of(device.id) == "signed_out"
        third: Device = await other.login(form["email"])
        await other.sql.execute(
            "update gatepost.sessions set ended_at = now(), end_reason = 'evicted' where id = $1",
            third.answer["session"]["id"],
        )
        assert await told.reason_of(third.id) == "evicted"
    assert len(told.sessions) == len({each.id for each in told.sessions}) == 3


async def test_what_is_missed_while_the_connection_is_lost_is_told_after(
    host: Any, told: Told, database_url: str
) -> None:
    form = {"email": "ada@example.com", "password": PASSWORD}
    opened = [(await host.post("/account/v1/auth/register", json=form)).json()]
    opened += [(await host.post("/account/v1/auth/login", json=form)).json() for _ in range(2)]
    ids = [each["session"]["id"] for each in opened]
    sql = await asyncpg.connect(database_url)
    try:
        await sql.execute(END, ids[0])
        assert await told.reason_of(ids[0]) == "evicted"
        cut = """
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and query ilike 'listen%gatepost_session_ends%'
        """
        assert len(await sql.fetch(cut)) == 1
        await sql.execute(END, ids[1])
        assert await told.reason_of(ids[1]) == "evicted"
        await sql.execute(END, ids[2])
        assert await told.reason_of(ids[2]) == "evicted"
        assert len(told.sessions) == 3
    finally:
        await sql.close()
