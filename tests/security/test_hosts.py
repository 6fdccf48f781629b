"""The hosts that the service answers for: DNS rebinding and forged Host headers."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI

import gatepost
from tests.support import (
    PASSWORD,
    RANDOM_SECRET,
    Service,
    assert_problem,
    http_client,
    make_settings,
    running_service,
    serve_app,
)

PATHS = ["/v1/me", "/v1/auth/login", "/", "/login", "/openapi.json", "/nowhere", "/.well-known/jwks.json"]
OTHERS = ["evil.example", "127.0.0.1.evil.example", "evil.example:8000", "localhost.evil.example", "203.0.113.9", ""]
PROBES = ["/healthz", "/readyz", "/metrics"]


@pytest.mark.parametrize("environment", ["development", "test"])
async def test_in_development_only_this_machine_is_answered(database_url: str, environment: str) -> None:
    async with running_service(database_url, environment=environment) as service:
        port = service.http.base_url.port
        for host in ("localhost", f"localhost:{port}", "127.0.0.1", "[::1]:80", "LOCALHOST"):
            assert (await service.http.get("/v1/me", headers={"Host": host})).status_code == 401
        for host in OTHERS:
            for path in PATHS:
                assert_problem(await service.http.get(path, headers={"Host": host}), 421, "host_not_allowed")
        for path in PROBES:
            assert (await service.http.get(path, headers={"Host": "10.1.2.3:8000"})).status_code == 200


async def test_with_a_public_url_its_host_is_answered_too(database_url: str) -> None:
    async with running_service(database_url, public_url="https://app.example.com/account") as service:
        assert (await service.http.get("/v1/me", headers={"Host": "App.example.com"})).status_code == 401
        assert_problem(await service.http.get("/v1/me", headers={"Host": "evil.example"}), 421, "host_not_allowed")


async def test_in_production_only_the_host_of_the_public_url_is_answered(database_url: str) -> None:
    production = {
        "environment": "production",
        "public_url": "https://app.example.com",
        "mail_transport": "smtp",
        "smtp_url": "smtp://127.0.0.1:1",
        "mail_from": "a@acme.com",
        "secret_key": RANDOM_SECRET,
    }
    async with running_service(database_url, **production) as service:
        assert_problem(await service.http.get("/v1/me"), 421, "host_not_allowed")
        assert (await service.http.get("/v1/me", headers={"Host": "app.example.com"})).status_code == 401
        assert (await service.http.get("/healthz")).status_code == 200


async def test_the_allowed_hosts_replace_the_default(database_url: str) -> None:
    settings = {"allowed_hosts": "a.example, 10.1.2.3", "public_url": "https://app.example.com"}
    async with running_service(database_url, **settings) as service:
        for host in ("a.example", "10.1.2.3:8000", "127.0.0.1"):
            assert (await service.http.get("/v1/me", headers={"Host": host})).status_code == 401
        assert_problem(await service.http.get("/v1/me", headers={"Host": "app.example.com"}), 421, "host_not_allowed")


@pytest.mark.parametrize("lines", [(), ("Host: localhost", "Host: evil.example"), ("Host: evil.example", "Host: ::1")])
async def test_no_host_header_or_two_are_rejected(service: Service, lines: tuple[str, ...]) -> None:
    url = service.http.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write("\r\n".join(["GET /v1/me HTTP/1.1", *lines, "", ""]).encode())
    assert (await reader.readline()).split()[1] in (b"400", b"421")
    writer.close()


async def test_a_mounted_router_checks_its_own_routes_only(database_url: str) -> None:
    app = FastAPI()
    app.include_router(gatepost.create_router(make_settings(database_url)), prefix="/account")

    @app.get("/host")
    async def host() -> str:
        return "ours"

    @app.post("/write")
    async def write(session: gatepost.CurrentSession) -> None: ...

    async with serve_app(app) as url, http_client(url) as client:
        evil = {"Host": "evil.example"}
        assert (await client.get("/host", headers=evil)).json() == "ours"
        assert_problem(await client.get("/account/v1/me", headers=evil), 421, "host_not_allowed")
        assert (await client.get("/account/healthz", headers=evil)).status_code == 200
        await check_forged_origin(client)


async def check_forged_origin(client: httpx.AsyncClient) -> None:
    """Without PUBLIC_URL the request's own host counts as ours, but not whatever the Host header says."""
    form = {"email": "ada@example.com", "password": PASSWORD}
    token = (await client.post("/account/v1/auth/register", json=form)).json()["access_token"]
    base = str(client.base_url).rstrip("/")
    cookie = {"Cookie": f"gatepost={token}"}
    assert (await client.post("/write", headers={**cookie, "Origin": base})).status_code == 200
    forged = {**cookie, "Host": "evil.example", "Origin": "http://evil.example"}
    assert_problem(await client.post("/write", headers=forged), 403, "csrf_failed")
