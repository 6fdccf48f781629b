"""What the tests stand on: the service on a real port, and devices that sign in on it."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import uvicorn
from fastapi import FastAPI

from gatepost import Settings, create_app

PASSWORD = "correct horse battery"
CHROME_ON_WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)
SAFARI_ON_IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)

_numbers = itertools.count(1)
# Reading what TLS trusts takes 20 ms: once, not for each client.
TLS = httpx.create_ssl_context()


def settings_for(database_url: str, **given: Any) -> Settings:
    """Return the settings of a service under test; whatever the environment holds, these count."""
    return Settings(**{"database_url": database_url, "secret_key": "s" * 40, "environment": "test"} | given)


class _Server(uvicorn.Server):
    """Ends as uvicorn's own does, but as soon as all is done: that one sleeps a tenth of a second at a time."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()

    def tell(self) -> None:
        """Have it end."""
        self.should_exit = True
        self._told.set()

    async def main_loop(self) -> None:
        ticks = itertools.count()
        while not await self.on_tick(next(ticks)):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        while self.server_state.connections or self.server_state.tasks:
            await asyncio.sleep(0.002)
        for server in self.servers:
            await server.wait_closed()
        await self.lifespan.shutdown()


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """Serve an app on a free port of the loopback interface and give its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    # As under uvloop, which the service runs on: without it, the second packet of an answer waits 40 ms for a receipt.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = _Server(
        uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False, server_header=False, lifespan="on")
    )
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not running.done():
        await asyncio.sleep(0.002)
    if running.done():
        raise RuntimeError("the app did not start")
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.tell()
        await running


def client_of(url: str, **options: Any) -> httpx.AsyncClient:
    """Return a client of the service at an address."""
    return httpx.AsyncClient(base_url=url, timeout=30, verify=TLS, **options)


@dataclass
class Device:
    """One signed-in device of a person, by bearer token."""

    http: httpx.AsyncClient
    email: str
    answer: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return str(self.answer["session"]["id"])

    @property
    def user_id(self) -> UUID:
        return UUID(self.answer["session"]["user_id"])

    @property
    def access_token(self) -> str:
        return str(self.answer["access_token"])

    @property
    def refresh_token(self) -> str:
        return str(self.answer["refresh_token"])

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.access_token}", **self.headers, **options.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **options)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return await self.request("POST", path, json=body, **options)

    async def patch(self, path: str, body: Any) -> httpx.Response:
        return await self.request("PATCH", path, json=body)

    async def delete(self, path: str) -> httpx.Response:
        return await self.request("DELETE", path)

    async def refresh(self) -> httpx.Response:
        """Exchange the refresh token, and keep what comes back."""
        answer = await self.http.post("/v1/auth/refresh", json={"refresh_token": self.refresh_token})
        if answer.is_success:
            self.answer = answer.json()
        return answer


@dataclass
class Service:
    """A running service with its database."""

    http: httpx.AsyncClient
    settings: Settings
    sql: asyncpg.Connection[asyncpg.Record]

    async def register(self, **extra: Any) -> Device:
        """Make a new person, signed in on one device."""
        email = extra.pop("email", None) or f"person{next(_numbers)}@example.com"
        answer = await self.http.post("/v1/auth/register", json={"email": email, "password": PASSWORD, **extra})
        assert answer.status_code == 201, answer.text
        return Device(self.http, email, answer.json())

    async def login(self, email: str, *, user_agent: str = CHROME_ON_WINDOWS, **extra: Any) -> Device:
        """Sign a person in on one more device."""
        form = {"email": email, "password": PASSWORD, **extra}
        answer = await self.http.post("/v1/auth/login", json=form, headers={"User-Agent": user_agent})
        assert answer.status_code == 200, answer.text
        return Device(self.http, email, answer.json())

    def browser(self) -> httpx.AsyncClient:
        """Return a client with a cookie jar of its own, on a page of ours."""
        base = str(self.http.base_url).rstrip("/")
        return client_of(base, headers={"Origin": base, "User-Agent": CHROME_ON_WINDOWS})


@asynccontextmanager
async def running_service(database_url: str, **given: Any) -> AsyncIterator[Service]:
    """Run the standalone service on a database."""
    settings = settings_for(database_url, **given)
    sql = await asyncpg.connect(database_url)
    try:
        async with serving(create_app(settings)) as url, client_of(url) as client:
            yield Service(client, settings, sql)
    finally:
        await sql.close()


async def admin(service: Service) -> Device:
    """Somebody who may do everything."""
    person = await service.register()
    await service.sql.execute("update gatepost.users set role = 'admin' where id = $1", person.user_id)
    return person


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is the refusal it should be, in the contract's shape, and return its body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == code
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["type"]
    assert problem["title"]
    assert problem["detail"]
    if status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"
    return problem
