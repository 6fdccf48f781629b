"""What the tests stand on: the service on a real port, and devices that sign in on it."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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


def settings_for(database_url: str, **given: Any) -> Settings:
    """Return the settings of a service under test; whatever the environment holds, these count."""
    return Settings(**{"database_url": database_url, "secret_key": "s" * 40, "environment": "test"} | given)


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """Serve an app on a free port of the loopback interface and give its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
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
        server.should_exit = True
        await running


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
        return httpx.AsyncClient(base_url=base, headers={"Origin": base, "User-Agent": CHROME_ON_WINDOWS}, timeout=30)


@asynccontextmanager
async def running_service(database_url: str, **given: Any) -> AsyncIterator[Service]:
    """Run the standalone service on a database."""
    settings = settings_for(database_url, **given)
    sql = await asyncpg.connect(database_url)
    try:
        async with serving(create_app(settings)) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:
            yield Service(client, settings, sql)
    finally:
        await sql.close()


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
