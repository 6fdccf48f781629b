"""No input gets a 500, a traceback or silence."""

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
        (b"[" * 100_000, 422, "validation_failed"),
        (b'{"email":' * 100_000, 422, "validation_failed"),
        (b"[" * 100_000 + b"]" * 100_000, 422, "validation_failed"),
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
async def test_hostile_bodies(service: Service, path: str, content: bytes, status: int, code: str) -> None:
    answer = await service.http.post(path, content=content, headers=JSON)
    assert_problem(answer, status, code)
    assert "Traceback" not in answer.text
    assert len(answer.content) < 5_000


async def test_a_large_body_is_refused_however_it_is_sent(service: Service) -> None:
    async def chunks() -> Any:
        for _ in range(40):
            yield b"x" * 50_000

    answer = await service.http.post("/v1/auth/login", content=chunks(), headers=JSON)
    assert_problem(answer, 413, "payload_too_large")
    assert (await service.http.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/xml", "multipart/form-data", "", "application/json/x"]
)
async def test_bodies_that_are_not_json(service: Service, media_type: str) -> None:
    body = json.dumps({"email": "a@example.com", "password": PASSWORD})
    answer = await service.http.post("/v1/auth/login", content=body, headers={"Content-Type": media_type})
    assert_problem(answer, 415, "unsupported_media_type")


async def test_nul_and_odd_characters_where_the_database_would_choke(service: Service) -> None:
    person = await service.register(device_name="a\x00b")
    assert person.answer["session"]["name"] == "a b"
    nul_password = await service.http.post("/v1/auth/login", json={"email": person.email, "password": "\x00" * 8})
    assert_problem(nul_password, 401, "invalid_credentials")
    for path in ("/v1/sessions/%00", "/v1/sessions/..%2f..%2fetc", "/v1/sessions/%ff%fe", "/v1/sessions/" + "x" * 4000):
        answer = await person.delete(path)
        assert answer.status_code in (404, 422)
        assert answer.headers["content-type"] == "application/problem+json"


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
async def test_absurd_headers(service: Service, headers: dict[str, str]) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    answer = await service.http.get("/v1/sessions", headers=raw)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "user_agent", ["", "\xff\xfe\xfd", "x" * 60_000, "Mozilla/5.0 (" * 1_000, "%s%n{0}{{}}", "'; drop table--"]
)
async def test_a_user_agent_of_nonsense_is_a_device_all_the_same(service: Service, user_agent: str) -> None:
    person = await service.register()
    answer = await service.http.post(
        "/v1/auth/login",
        json={"email": person.email, "password": PASSWORD},
        headers=[(b"User-Agent", user_agent.encode("latin-1"))],
    )
    assert answer.status_code == 200
    assert answer.json()["session"]["name"]


async def test_request_ids_are_kept_when_well_formed_and_made_when_not(service: Service) -> None:
    kept = await service.http.get("/healthz", headers={"X-Request-ID": "trace-1.A_b"})
    assert kept.headers["x-request-id"] == "trace-1.A_b"
    for bad in ("", "a b", "x" * 129, 'a"b', "a;b"):
        answer = await service.http.get("/healthz", headers={"X-Request-ID": bad})
        made = answer.headers["x-request-id"]
        assert made
        assert made != bad
    unknown = await service.http.get("/nowhere", headers={"X-Request-ID": "trace-2"})
    assert assert_problem(unknown, 404, "not_found")["request_id"] == "trace-2"


async def test_nothing_that_we_answer_may_be_cached(service: Service) -> None:
    person = await service.register()
    for answer in (await person.get("/v1/me"), await person.get("/v1/sessions"), await service.http.get("/nowhere")):
        assert answer.headers["cache-control"] == "no-store"


async def test_a_parameter_given_twice_is_refused(service: Service) -> None:
    person = await service.register()
    problem = assert_problem(await person.get("/v1/sessions?include=ended&include=x"), 422, "validation_failed")
    assert problem["errors"][0]["loc"] == ["query", "include"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "PROPFIND", "OPTIONS"])
async def test_methods_that_an_address_does_not_answer(service: Service, method: str) -> None:
    answer = await service.http.request(method, "/v1/sessions")
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "DELETE, GET, POST"


async def test_a_crash_tells_nothing(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    """The schema is broken under the running service: what we did not foresee is a 500 with the log line's id."""
    person = await service.register()
    await service.sql.execute("alter table gatepost.users rename column password_hash to oops")
    answer = await service.http.post("/v1/auth/login", json={"email": person.email, "password": PASSWORD})
    problem = assert_problem(answer, 500, "internal_error")
    assert "oops" not in answer.text
    assert "password_hash" not in answer.text
    [line] = [record.message for record in caplog.records if "crashed" in record.message]
    assert json.loads(line)["request_id"] == problem["request_id"]
