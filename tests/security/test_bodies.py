"""Request bodies: authenticated before they are read, and bounded in bytes, nesting and number of values."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI

import gatepost
from tests.support import PASSWORD, Device, Service, assert_problem, http_client, make_settings, serve_app

JSON = {"Content-Type": "application/json"}
LARGE = 14 * 1024 * 1024
# Operations with a body that accept only users or admins, and operations that accept everybody.
GUARDED = [
    ("POST", "/v1/auth/reauthenticate"),
    ("POST", "/v1/sessions"),
    ("POST", "/v1/emails"),
    ("POST", "/v1/emails/batch"),
    ("POST", "/v1/admin/sessions/revoke"),
    ("POST", "/v1/settings/email-templates"),
    ("PUT", "/v1/settings/email-templates/welcome/draft"),
    ("POST", "/v1/settings/email-templates/welcome/preview"),
]
OPEN = ["/v1/auth/register", "/v1/auth/login", "/v1/auth/refresh", "/v1/auth/password/forgot", "/v1/webhooks/resend"]


async def send_head(service: Service, method: str, path: str, *headers: str) -> tuple[bytes, asyncio.StreamWriter]:
    """Send the head of a request without its body; return the head of the response."""
    url = service.http.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    lines = [f"{method} {path} HTTP/1.1", f"Host: {url.host}", "Content-Type: application/json", *headers, "", ""]
    writer.write("\r\n".join(lines).encode())
    return await reader.readuntil(b"\r\n\r\n"), writer


@pytest.mark.parametrize(("method", "path"), GUARDED)
async def test_without_credentials_the_body_is_not_awaited(service: Service, method: str, path: str) -> None:
    """The response comes although the client never sends the body that it announced."""
    for length in ("Content-Length: 10000", "Transfer-Encoding: chunked"):
        for authorization in ((), ("Authorization: Bearer nonsense",), ("Authorization: Bearer gp_nonsense",)):
            head, writer = await send_head(service, method, path, length, *authorization)
            assert head.startswith(b"HTTP/1.1 401"), head
            writer.close()


@pytest.mark.parametrize("path", [*OPEN, "/v1/emails", "/v1/settings/email-templates"])
async def test_an_announced_body_that_is_too_large_is_not_awaited(service: Service, path: str) -> None:
    head, writer = await send_head(service, "POST", path, f"Content-Length: {LARGE + 1}")
    assert head.startswith(b"HTTP/1.1 413"), head
    writer.close()


async def test_a_client_that_writes_its_whole_body_still_reads_the_response(service: Service) -> None:
    for _ in range(3):
        response = await service.http.post("/v1/auth/login", content=b"x" * 4_000_000, headers=JSON)
        assert_problem(response, 413, "payload_too_large")
    assert (await service.http.get("/healthz")).status_code == 200


@pytest.mark.parametrize("path", OPEN)
async def test_small_bodies_where_nothing_large_belongs(service: Service, path: str) -> None:
    limit = 1024 * 1024 if path == "/v1/webhooks/resend" else 16 * 1024
    body = json.dumps({"token": "x" * limit, "email": "a@example.com", "password": PASSWORD})
    assert_problem(await service.http.post(path, content=body, headers=JSON), 413, "payload_too_large")

    async def chunks() -> Any:
        for start in range(0, len(body), 1000):
            yield body[start : start + 1000].encode()

    assert_problem(await service.http.post(path, content=chunks(), headers=JSON), 413, "payload_too_large")


async def post(admin: Device, content: bytes) -> Any:
    return await admin.http.post(
        "/v1/emails", content=content, headers={**JSON, "Authorization": f"Bearer {admin.access_token}"}
    )


@pytest.mark.parametrize(
    "content",
    [
        b"[" + b"[]," * 100_000 + b"[]]",
        b'{"variables":' + b'{"a":' * 33 + b"1" + b"}" * 34,
        b"[" * 40 + b"]" * 40,
        b'{"variables":{' + b",".join(b'"k%d":1' % n for n in range(60_000)) + b"}}",
        b'{"variables":["' + b"\\\\\\n" * 600_000 + b'"]}',
        b"[" + b",".join([b"9" * 4000] * 300) + b"]",
        b" " * 1_100_000 + b"1",
    ],
)
async def test_a_body_that_would_be_expensive_to_parse_is_rejected(service: Service, content: bytes) -> None:
    problem = assert_problem(await post(await service.register_admin(), content), 422, "validation_failed")
    assert [error["type"] for error in problem["errors"]] == ["json_too_complex"]


async def test_ten_thousand_users_fit_in_a_filter(service: Service) -> None:
    admin = await service.register_admin()
    body = {"filter": {"user_ids": [str(uuid4()) for _ in range(10_000)]}, "reason": "x", "dry_run": True}
    assert (await admin.post("/v1/admin/sessions/revoke", body)).json() == {"matched": 0, "revoked": 0, "included_own": False}


async def test_many_errors_are_summed_up(service: Service) -> None:
    content = json.dumps({f"unknown{n}": 1 for n in range(10_000)}).encode()
    problem = assert_problem(await post(await service.register_admin(), content), 422, "validation_failed")
    assert [error["type"] for error in problem["errors"]] == ["too_many_errors"]


async def test_brackets_and_quotes_in_strings_do_not_count(service: Service) -> None:
    admin = await service.register_admin()
    nested: Any = "x"
    for _ in range(20):
        nested = [nested]
    variables = {"text": '[{"\\"' * 50_000 + "\\", "nested": nested, "text2": ',:\\\\"' * 50_000}
    body = {"template": "welcome", "to": "ada@acme.com", "variables": {"name": "A", "login_url": "https://a.com"}}
    response = await admin.post("/v1/emails", body | {"reply_to": variables})
    problem = assert_problem(response, 422, "validation_failed")
    assert [error["loc"] for error in problem["errors"]] == [["body", "reply_to"]]
    assert (await admin.post("/v1/emails", body)).status_code == 202


async def test_a_request_is_authenticated_once(service: Service) -> None:
    """The guard that ran before the body was read is not asked again."""
    user = await service.register()
    before = await guard_checks(service)
    assert (await user.post("/v1/sessions", {})).status_code == 200
    assert await guard_checks(service) == before + 1


async def test_an_app_can_still_override_the_guard(database_url: str) -> None:
    """As hosts do in their tests (`app.dependency_overrides`): the guard is not asked before the body either."""
    app = FastAPI()
    app.include_router(gatepost.create_router(make_settings(database_url)), prefix="/account")
    async with serve_app(app) as url, http_client(url) as client:
        form = {"email": "ada@example.com", "password": PASSWORD}
        signed_in = (await client.post("/account/v1/auth/register", json=form)).json()["session"]
        assert (await client.post("/account/v1/sessions", json={})).status_code == 401
        app.dependency_overrides[gatepost.require_session] = lambda: gatepost.Session(**signed_in, claims={})
        response = await client.post("/account/v1/sessions", json={})
        assert (response.status_code, response.json()["id"]) == (200, signed_in["id"])


async def test_many_query_parameters_are_not_parsed(service: Service) -> None:
    user = await service.register()
    for query in ("&" * 50, "&".join(f"p{n}=1" for n in range(20_000))[:60_000]):
        problem = assert_problem(await user.get(f"/v1/sessions?{query}"), 422, "validation_failed")
        assert problem["errors"][0]["type"] == "too_many"


async def guard_checks(service: Service) -> int:
    metrics = (await service.http.get("/metrics")).text
    [line] = [line for line in metrics.splitlines() if line.startswith("gatepost_guard_seconds_count")]
    return int(float(line.split()[-1]))
