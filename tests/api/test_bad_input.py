"""Malformed requests: each gets a problem response, never a 500 or a traceback."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support import PASSWORD, Service, assert_problem

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"x" * 2_000_000, 413, "payload_too_large"),
        (b"[" * 10_000, 422, "validation_failed"),
        (b'{"email":' * 1_500, 422, "validation_failed"),
        (b"[" * 5_000 + b"]" * 5_000, 422, "validation_failed"),
        (b'{"email": "\xff\xfe", "password": "12345678"}', 422, "validation_failed"),
        (b"", 422, "validation_failed"),
        (b"\x00", 422, "validation_failed"),
        (b"nul", 422, "validation_failed"),
        (b"NaN", 422, "validation_failed"),
        (b"1e999999", 422, "validation_failed"),
        (b"9" * 5000, 422, "validation_failed"),
        (b'{"email": "a@example.com\\u0000", "password": "12345678"}', 422, "validation_failed"),
        (b'{"email": "a@example.com", "password": "\\ud800\\ud800\\ud800\\ud800"}', 422, "validation_failed"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/auth/register", "/v1/auth/login"])
async def test_malformed_bodies_are_problems(
    service: Service, path: str, content: bytes, status: int, code: str
) -> None:
    response = await service.http.post(path, content=content, headers=JSON)
    assert_problem(response, status, code)
    assert "Traceback" not in response.text
    assert len(response.content) < 5_000


async def test_a_large_body_sent_in_chunks_is_rejected(service: Service) -> None:
    async def chunks() -> Any:
        for _ in range(40):
            yield b"x" * 50_000

    response = await service.http.post("/v1/auth/login", content=chunks(), headers=JSON)
    assert_problem(response, 413, "payload_too_large")
    assert (await service.http.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/xml", "multipart/form-data", "", "application/json/x"]
)
async def test_other_media_types_than_json_are_rejected(service: Service, media_type: str) -> None:
    body = json.dumps({"email": "a@example.com", "password": PASSWORD})
    response = await service.http.post("/v1/auth/login", content=body, headers={"Content-Type": media_type})
    assert_problem(response, 415, "unsupported_media_type")


async def test_characters_that_postgresql_cannot_store(service: Service) -> None:
    user = await service.register(device_name="a\x00b")
    assert user.sign_in["session"]["name"] == "a b"
    nul_password = await service.http.post("/v1/auth/login", json={"email": user.email, "password": "\x00" * 8})
    assert_problem(nul_password, 401, "invalid_credentials")
    for path in ("/v1/sessions/%00", "/v1/sessions/..%2f..%2fetc", "/v1/sessions/%ff%fe", "/v1/sessions/" + "x" * 4000):
        response = await user.delete(path)
        assert response.status_code in (404, 422)
        assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer " + "x" * 50_000},
        {"Authorization": "Bearer " + "." * 5_000},
        {"Authorization": "Bearer a.b.c"},
        {"Authorization": "Bearer \xff\xfe"},
        {"Cookie": "gatepost=" + "x" * 50_000},
        {"Cookie": ";;;=;gatepost"},
        {"Cookie": "gatepost=\xff"},
        {"X-Request-ID": "x" * 10_000},
        {"X-Forwarded-For": "," * 10_000},
        {"Accept": "\xff"},
    ],
)
async def test_malformed_and_huge_headers(service: Service, headers: dict[str, str]) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    response = await service.http.get("/v1/sessions", headers=raw)
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "user_agent", ["", "\xff\xfe\xfd", "x" * 60_000, "Mozilla/5.0 (" * 1_000, "%s%n{0}{{}}", "'; drop table--"]
)
async def test_any_user_agent_can_sign_in(service: Service, user_agent: str) -> None:
    user = await service.register()
    response = await service.http.post(
        "/v1/auth/login",
        json={"email": user.email, "password": PASSWORD},
        headers=[(b"User-Agent", user_agent.encode("latin-1"))],
    )
    assert response.status_code == 200
    assert response.json()["session"]["name"]


async def test_a_valid_request_id_is_returned_and_an_invalid_one_is_replaced(service: Service) -> None:
    valid = await service.http.get("/healthz", headers={"X-Request-ID": "trace-1.A_b"})
    assert valid.headers["x-request-id"] == "trace-1.A_b"
    for bad in ("", "a b", "x" * 129, 'a"b', "a;b"):
        response = await service.http.get("/healthz", headers={"X-Request-ID": bad})
        generated = response.headers["x-request-id"]
        assert generated
        assert generated != bad
    unknown = await service.http.get("/nowhere", headers={"X-Request-ID": "trace-2"})
    assert assert_problem(unknown, 404, "not_found")["request_id"] == "trace-2"


async def test_responses_may_not_be_cached(service: Service) -> None:
    user = await service.register()
    for response in (await user.get("/v1/me"), await user.get("/v1/sessions"), await service.http.get("/nowhere")):
        assert response.headers["cache-control"] == "no-store"


async def test_a_repeated_query_parameter_is_rejected(service: Service) -> None:
    user = await service.register()
    problem = assert_problem(await user.get("/v1/sessions?include=ended&include=x"), 422, "validation_failed")
    assert problem["errors"][0]["loc"] == ["query", "include"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "PROPFIND", "OPTIONS"])
async def test_other_methods_are_not_allowed(service: Service, method: str) -> None:
    response = await service.http.request(method, "/v1/sessions")
    assert_problem(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "DELETE, GET, POST"


async def test_an_unexpected_error_reveals_nothing(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    """The schema is changed under the running service: the response is a 500 with the request id of the log line."""
    user = await service.register()
    await service.sql.execute("alter table gatepost.users rename column password_hash to oops")
    response = await service.http.post("/v1/auth/login", json={"email": user.email, "password": PASSWORD})
    problem = assert_problem(response, 500, "internal_error")
    assert "oops" not in response.text
    assert "password_hash" not in response.text
    [line] = [record.message for record in caplog.records if "unhandled exception" in record.message]
    assert json.loads(line)["request_id"] == problem["request_id"]
