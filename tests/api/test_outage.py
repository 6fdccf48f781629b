"""The database goes away and comes back: requests fail meanwhile, and the service recovers by itself."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gatepost.db import EmbeddedPostgres, migrate_embedded
from tests.support import PASSWORD, assert_problem, running_service
from tests.support.embedded import postmaster, server_processes, socket_directory
from tests.support.processes import is_running
from tests.support.waiting import wait_until


@pytest.fixture
def server_to_kill(open_directory: Path) -> Iterator[EmbeddedPostgres]:
    """A server for this test alone: it will be killed."""
    server = EmbeddedPostgres.start(open_directory / "outage")
    asyncio.run(migrate_embedded(server))
    yield server
    server.stop()


def kill(server: EmbeddedPostgres) -> None:
    """Kill a server, and wait until its other processes have noticed it: until then they answer."""
    processes = server_processes(server.data)
    os.kill(postmaster(server.data), signal.SIGKILL)
    wait_until(lambda: not any(map(is_running, processes)), "the end of the killed server's processes")


async def restart(server: EmbeddedPostgres) -> None:
    """Start the killed server on the same socket, as soon as the last of its old processes is gone."""
    options = f"-k {socket_directory(server.url)} -c listen_addresses=''"
    command = ("start", "-w", "-D", str(server.data), "-l", str(server.data / "server.log"), "-o", options)
    async with asyncio.timeout(30):
        while (await asyncio.to_thread(server._cluster.run, "pg_ctl", *command)).returncode != 0:
            await asyncio.sleep(0.05)


async def wait_until_ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(30):
        while (await client.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.05)


async def test_requests_fail_without_the_database_and_succeed_when_it_is_back(server_to_kill: EmbeddedPostgres) -> None:
    async with running_service(server_to_kill.url) as service:
        user = await service.register()
        kill(server_to_kill)

        responses = [
            await service.http.get("/readyz"),
            await user.get("/v1/me"),
            await user.delete("/v1/sessions"),
            await user.post("/v1/sessions", {}),
            await service.http.post("/v1/auth/login", json={"email": user.email, "password": PASSWORD}),
            await service.http.post("/v1/auth/register", json={"email": "b@example.com", "password": PASSWORD}),
            await service.http.post("/v1/auth/refresh", json={"refresh_token": user.refresh_token}),
        ]
        for response in responses:
            assert_problem(response, 503, "service_unavailable")
            assert response.headers["retry-after"]
        assert (await service.http.get("/healthz")).status_code == 200
        assert (await service.http.get("/.well-known/jwks.json")).status_code == 200

        await restart(server_to_kill)
        await wait_until_ready(service.http)
        assert (await user.get("/v1/me")).status_code == 200
        assert (await user.refresh()).status_code == 200


async def test_readyz_reports_missing_migrations(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    async with running_service(database_url) as service:
        ready = {"status": "ok", "database": "ok", "migrations": "ok", "mail": "ok"}
        assert (await service.http.get("/readyz")).json() == ready
        await service.sql.execute("delete from gatepost.schema_migrations where version = '20261121000002'")
        problem = assert_problem(await service.http.get("/readyz"), 503, "service_unavailable")
        assert problem["detail"] == "The database schema does not match this version of Gatepost."
        assert "run `gatepost migrate`" in caplog.text


async def test_a_retired_signing_key_is_replaced(database_url: str) -> None:
    async with running_service(database_url) as service:
        user = await service.register()
        assert (await user.get("/v1/me")).status_code == 200
        await service.sql.execute("update gatepost.signing_keys set retired_at = now()")
    async with running_service(database_url) as service:
        user.http = service.http
        assert_problem(await user.get("/v1/me"), 401, "token_invalid")
        assert (await user.refresh()).status_code == 200
        assert (await user.get("/v1/me")).status_code == 200
