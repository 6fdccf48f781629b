"""The database gone, and back: refused meanwhile, recovered by itself."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.support import PASSWORD, assert_problem, running_service

from gatepost.db.embedded import EmbeddedPostgres
from gatepost.db.migrations import migrate


@pytest.fixture
def own_server(open_directory: Path) -> Iterator[EmbeddedPostgres]:
    """A server of this test's own, for it is going to be killed."""
    server = EmbeddedPostgres.start(open_directory / "outage")
    asyncio.run(migrate(server.url))
    yield server
    server.stop()


def kill(server: EmbeddedPostgres) -> None:
    pid = int((server.data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)


async def start_again(server: EmbeddedPostgres) -> None:
    """Start the killed server at the same address; it waits until the last of its old processes is gone."""
    sockets = server.url.partition("host=")[2].partition("&")[0]
    options = f"-k {sockets} -c listen_addresses=''"
    command = ("start", "-w", "-D", str(server.data), "-l", str(server.data / "server.log"), "-o", options)
    async with asyncio.timeout(30):
        while (await asyncio.to_thread(server._home.run, "pg_ctl", *command)).returncode != 0:
            await asyncio.sleep(0.05)


async def until_ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(30):
        while (await client.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.05)


async def test_without_the_database_requests_are_refused_and_with_it_served_again(own_server: EmbeddedPostgres) -> None:
    async with running_service(own_server.url) as service:
        person = await service.register()
        kill(own_server)

        answers = [
            await service.http.get("/readyz"),
            await person.get("/v1/me"),
            await person.delete("/v1/sessions"),
            await person.post("/v1/sessions", {}),
            await service.http.post("/v1/auth/login", json={"email": person.email, "password": PASSWORD}),
            await service.http.post("/v1/auth/register", json={"email": "b@example.com", "password": PASSWORD}),
            await service.http.post("/v1/auth/refresh", json={"refresh_token": person.refresh_token}),
        ]
        for answer in answers:
            assert_problem(answer, 503, "service_unavailable")
            assert answer.headers["retry-after"]
        assert (await service.http.get("/healthz")).status_code == 200
        assert (await service.http.get("/.well-known/jwks.json")).status_code == 200

        await start_again(own_server)
        await until_ready(service.http)
        assert (await person.get("/v1/me")).status_code == 200
        assert (await person.refresh()).status_code == 200


async def test_readiness_tells_of_missing_migrations(database_url: str) -> None:
    async with running_service(database_url) as service:
        ready = {"status": "ok", "database": "ok", "migrations": "ok", "mail": "ok", "mail_trouble": []}
        assert (await service.http.get("/readyz")).json() == ready
        await service.sql.execute("delete from gatepost.schema_migrations where version = '20261121000002'")
        problem = assert_problem(await service.http.get("/readyz"), 503, "service_unavailable")
        assert "gatepost migrate" in problem["detail"]


async def test_a_retired_signing_key_is_dropped_and_replaced(database_url: str) -> None:
    async with running_service(database_url) as service:
        person = await service.register()
        assert (await person.get("/v1/me")).status_code == 200
        await service.sql.execute("update gatepost.signing_keys set retired_at = now()")
    async with running_service(database_url) as service:
        person.http = service.http
        assert_problem(await person.get("/v1/me"), 401, "token_invalid")
        assert (await person.refresh()).status_code == 200
        assert (await person.get("/v1/me")).status_code == 200
