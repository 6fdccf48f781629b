"""The service on a real port, and devices that sign in to it."""

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
from tests.support.database import application_url

PASSWORD = "correct horse battery"
# Random enough for production, and used nowhere else.
RANDOM_SECRET = "f2Zq9vR1xLw7KcT4mB8sYhJ3nD6pGaU0"
CHROME_ON_WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)
SAFARI_ON_IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)
# Reading the trusted certificates takes 20 ms: once, not for each client.
SSL_CONTEXT = httpx.create_ssl_context()

_numbers = itertools.count(1)


def make_settings(database_url: str, **changes: Any) -> Settings:
    """Return the settings of a service under test, independent of the environment."""
    return Settings(**{"database_url": database_url, "secret_key": "s" * 40, "environment": "test"} | changes)


class _Server(uvicorn.Server):
    """Stops as soon as everything is done; uvicorn's own server sleeps a tenth of a second at a time."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        self.should_exit = True
        self._stopping.set()

    async def main_loop(self) -> None:
        ticks = itertools.count()
        while not await self.on_tick(next(ticks)):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), 0.1)

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
async def serve_app(app: FastAPI, **options: Any) -> AsyncIterator[str]:
    """Serve an app on a free port of the loopback interface, with options of uvicorn; yield its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    # As under uvloop, which the service runs on: without it, the second packet of a response waits 40 ms for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="on",
            **{"proxy_headers": False, **options},
        )
    )
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not running.done():
        await asyncio.sleep(0.002)
    if running.done():
        raise RuntimeError("the app did not start")
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.stop()
        await running


def http_client(url: str, **options: Any) -> httpx.AsyncClient:
    """Return a client of the service at a URL."""
    return httpx.AsyncClient(base_url=url, timeout=30, verify=SSL_CONTEXT, **options)


@dataclass
class Device:
    """A signed-in device of a user, by bearer token; `sign_in` is the last `SignIn` response, `id` its session's id."""

    http: httpx.AsyncClient
    email: str
    sign_in: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return str(self.sign_in["session"]["id"])

    @property
    def user_id(self) -> UUID:
        return UUID(self.sign_in["session"]["user_id"])

    @property
    def access_token(self) -> str:
        return str(self.sign_in["access_token"])

    @property
    def refresh_token(self) -> str:
        return str(self.sign_in["refresh_token"])

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.access_token}", **self.headers, **options.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **options)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return await self.request("POST", path, json=body, **options)

    async def put(self, path: str, body: Any, **options: Any) -> httpx.Response:
        return await self.request("PUT", path, json=body, **options)

    async def patch(self, path: str, body: Any) -> httpx.Response:
        return await self.request("PATCH", path, json=body)

    async def delete(self, path: str) -> httpx.Response:
        return await self.request("DELETE", path)

    async def refresh(self) -> httpx.Response:
        """Exchange the refresh token, and use the new tokens from now on."""
        response = await self.http.post("/v1/auth/refresh", json={"refresh_token": self.refresh_token})
        if response.is_success:
            self.sign_in = response.json()
        return response


@dataclass
class Service:
    """A running service with its database."""

    http: httpx.AsyncClient
    settings: Settings
    sql: asyncpg.Connection[asyncpg.Record]

    async def register(self, **extra: Any) -> Device:
        """Create a user who is signed in on one device."""
        email = extra.pop("email", None) or f"user{next(_numbers)}@example.com"
        response = await self.http.post("/v1/auth/register", json={"email": email, "password": PASSWORD, **extra})
        assert response.status_code == 201, response.text
        return Device(self.http, email, response.json())

    async def register_confirmed(self, **extra: Any) -> Device:
        """Create a user who is signed in on one device and has confirmed their email address."""
        device = await self.register(**extra)
        await self.sql.execute("update gatepost.users set email_verified_at = now() where id = $1", device.user_id)
        return device

    async def register_admin(self, *, confirmed: bool = False) -> Device:
        """Create an admin who is signed in on one device."""
        device = await (self.register_confirmed() if confirmed else self.register())
        await self.sql.execute("update gatepost.users set role = 'admin' where id = $1", device.user_id)
        return device

    async def login(self, email: str, *, user_agent: str = CHROME_ON_WINDOWS, **extra: Any) -> Device:
        """Sign a user in on one more device."""
        form = {"email": email, "password": PASSWORD, **extra}
        response = await self.http.post("/v1/auth/login", json=form, headers={"User-Agent": user_agent})
        assert response.status_code == 200, response.text
        return Device(self.http, email, response.json())

    async def create_api_key(self, admin: Device, *scopes: str, name: str = "support") -> Device:
        """Have an admin create an API key; return a device that presents it as its access token."""
        response = await admin.post("/v1/admin/api-keys", {"name": name, "scopes": list(scopes)})
        assert response.status_code == 201, response.text
        return Device(self.http, "", {"access_token": response.json()["secret"]})

    def browser(self) -> httpx.AsyncClient:
        """Return a client with a cookie jar of its own, on a page of ours."""
        base = str(self.http.base_url).rstrip("/")
        return http_client(base, headers={"Origin": base, "User-Agent": CHROME_ON_WINDOWS})


@asynccontextmanager
async def running_service(database_url: str, **changes: Any) -> AsyncIterator[Service]:
    """Run the standalone service on a database, as the role of the service; `sql` is the owner of the schema."""
    settings = make_settings(application_url(database_url), **changes)
    sql = await asyncpg.connect(database_url)
    try:
        async with serve_app(create_app(settings)) as url, http_client(url) as client:
            yield Service(client, settings, sql)
    finally:
        await sql.close()


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check that a response is the expected problem, with every member that problems have; return its body."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["code"] == code
    assert problem["status"] == status
    assert problem["request_id"] == response.headers["x-request-id"]
    assert problem["type"]
    assert problem["title"]
    assert problem["detail"]
    if status == 401:
        assert response.headers["www-authenticate"] == "Bearer"
    return problem


async def all_pages(device: Device, path: str, limit: int) -> list[Any]:
    """Return the items of a paginated list, read page by page until there is no further cursor."""
    separator = "&" if "?" in path else "?"
    found: list[Any] = []
    cursor = ""
    while True:
        page = (await device.get(f"{path}{separator}limit={limit}{cursor}")).json()
        assert 1 <= len(page["items"]) <= limit
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"
