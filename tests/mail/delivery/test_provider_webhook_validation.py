"""Invalid webhooks of the provider: each is rejected with a problem response, and nothing of it is stored."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.support import Service, assert_problem, running_service
from tests.support.fake_resend import SECRET
from tests.support.provider_webhooks import (
    PATH,
    create_sent_email,
    post_webhook,
    signature_headers,
    stored_events,
    webhook_event,
)

OTHER_SECRET = "whsec_" + base64.b64encode(b"another one, as long....").decode()
BODY = json.dumps(webhook_event()).encode()
Headers = dict[str, str]


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    """A service with a webhook secret."""
    async with running_service(database_url, resend_webhook_secret=SECRET) as service:
        yield service


def without(name: str) -> Headers:
    return {key: value for key, value in signature_headers(BODY).items() if key != name}


def with_signature(change: Callable[[str], str]) -> Headers:
    headers = signature_headers(BODY)
    return headers | {"svix-signature": change(headers["svix-signature"])}


BAD_SIGNATURES: dict[str, Callable[[], Headers]] = {
    "another secret": lambda: signature_headers(BODY, secret=OTHER_SECRET),
    "another body": lambda: signature_headers(BODY.replace(b"delivered", b"deliveree")),
    "another id": lambda: signature_headers(BODY) | {"svix-id": "msg_1"},
    "another timestamp": lambda: (
        signature_headers(BODY) | {"svix-timestamp": signature_headers(BODY, age=5)["svix-timestamp"]}
    ),
    "old": lambda: signature_headers(BODY, age=310),
    "from the future": lambda: signature_headers(BODY, age=-310),
    "no header": dict,
    "no id": lambda: without("svix-id"),
    "no timestamp": lambda: without("svix-timestamp"),
    "no signature": lambda: without("svix-signature"),
    "an empty id": lambda: signature_headers(BODY) | {"svix-id": ""},
    "text for a timestamp": lambda: signature_headers(BODY) | {"svix-timestamp": "soon"},
    "not a number": lambda: signature_headers(BODY) | {"svix-timestamp": "nan"},
    "an infinite number": lambda: signature_headers(BODY) | {"svix-timestamp": "1e400"},
    "too great a number": lambda: signature_headers(BODY) | {"svix-timestamp": "9" * 30},
    "a version alone": lambda: signature_headers(BODY) | {"svix-signature": "v1"},
    "an empty signature": lambda: signature_headers(BODY) | {"svix-signature": "v1,"},
    "no base64": lambda: signature_headers(BODY) | {"svix-signature": "v1,%%%="},
    "truncated": lambda: with_signature(lambda signature: signature[:-8]),
    "another version": lambda: with_signature(lambda signature: signature.replace("v1,", "v2,")),
    "many commas": lambda: with_signature(lambda signature: signature.replace(",", ",,")),
}


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Return what was logged, without the lines of the test's own HTTP client."""
    caplog.set_level(logging.DEBUG)

    def logged_text() -> str:
        records = [record for record in caplog.records if not record.name.startswith("http")]
        return "\n".join(record.getMessage() + (record.exc_text or "") for record in records)

    return logged_text


async def test_a_request_without_a_valid_signature_is_rejected(service: Service, logged: Callable[[], str]) -> None:
    for name, headers in BAD_SIGNATURES.items():
        sent = headers()
        response = await post_webhook(service, BODY, sent)
        assert response.status_code == 401, (name, response.text)
        problem = assert_problem(response, 401, "not_authenticated")
        assert "webhook" in problem["detail"]
        assert ("clock" in problem["detail"]) == (name in {"old", "from the future"}), name
        if signature := sent.get("svix-signature", "")[3:20]:
            assert signature not in response.text + logged(), name
    assert await stored_events(service) == []
    for secret in (SECRET, SECRET.removeprefix("whsec_"), "ada@acme.com"):
        assert secret not in logged()
    assert logged().count("webhook rejected") == len(BAD_SIGNATURES)
    assert "crashed" not in logged()


async def test_a_signed_request_is_accepted(service: Service) -> None:
    """There may be several signatures while a secret is rotated; clocks may differ by five minutes."""
    wrong, right = signature_headers(BODY, "msg_1", secret=OTHER_SECRET), signature_headers(BODY, "msg_1")
    both = right | {"svix-signature": f"v1a,x {wrong['svix-signature']} {right['svix-signature']}"}
    for number, headers in enumerate([both, signature_headers(BODY, age=290), signature_headers(BODY, age=-290)], 1):
        response = await post_webhook(service, BODY, headers)
        assert (response.status_code, response.content) == (204, b"")
        assert len(await stored_events(service)) == number


async def test_without_a_secret_every_request_is_rejected(database_url: str) -> None:
    async with running_service(database_url) as service:
        problem = assert_problem(await post_webhook(service, BODY), 401, "not_authenticated")
        assert "GATEPOST_RESEND_WEBHOOK_SECRET" in problem["detail"]
        assert await stored_events(service) == []


def with_data(**data: Any) -> bytes:
    return json.dumps(webhook_event(**data)).encode()


def with_created_at(at: Any) -> bytes:
    return json.dumps(webhook_event() | {"created_at": at}).encode()


BAD_BODIES: dict[str, bytes] = {
    "nothing": b"",
    "not UTF-8": BODY.replace(b"ada@", b"\xffda@"),
    "not JSON": b"type=email.delivered",
    "truncated": BODY[:-1],
    "a lone surrogate": BODY.replace(b"ada@", rb"\ud800"),
    "too deep": BODY.replace(b'["ada@acme.com"]', b"[" * 5000 + b"]" * 5000),
    "too great a number": BODY.replace(b'["ada@acme.com"]', b"9" * 5000),
    "a list": b"[" + BODY + b"]",
    "a text": b'"email.delivered"',
    "null": b"null",
    "no type": b"{}",
    "a number for a type": b'{"type": 5}',
    "no data": b'{"type": "email.delivered", "created_at": "2026-11-21T12:00:00Z"}',
    "a list for data": json.dumps(webhook_event() | {"data": []}).encode(),
    "no email_id": json.dumps(webhook_event() | {"data": {"to": ["ada@acme.com"]}}).encode(),
    "an empty email_id": with_data(email_id=""),
    "a number for an email_id": with_data(email_id=5),
    "a long email_id": with_data(email_id="x" * 201),
    "no timestamp": json.dumps({key: value for key, value in webhook_event().items() if key != "created_at"}).encode(),
    "a number for a timestamp": with_created_at(1_795_000_000),
    "a timestamp without a zone": with_created_at("2026-11-21T12:00:00"),
    "a day": with_created_at("2026-11-21"),
    "text for a timestamp": with_created_at("yesterday"),
    "before all time": with_created_at("0001-01-01T00:00:00+14:00"),
    "after all time": with_created_at("9999-12-31T23:59:59-14:00"),
    "a year of six digits": with_created_at("+275760-09-13T00:00:00Z"),
}


async def test_a_malformed_signed_body_is_rejected(service: Service, logged: Callable[[], str]) -> None:
    for name, body in BAD_BODIES.items():
        response = await post_webhook(service, body)
        assert response.status_code == 422, (name, response.text)
        problem = assert_problem(response, 422, "validation_failed")
        assert problem.get("errors") or "UTF-8" in problem["detail"], name
        assert "ada@acme.com" not in response.text + logged(), name
        assert await stored_events(service) == [], name
    assert "crashed" not in logged()


async def test_a_body_is_limited_to_a_megabyte(service: Service) -> None:
    padding = 1024 * 1024 - len(BODY)
    assert (await post_webhook(service, BODY + b" " * padding)).status_code == 204
    for huge in (BODY + b" " * (padding + 1), b"x" * 20_000_000):
        assert_problem(await post_webhook(service, huge), 413, "payload_too_large")
        assert_problem(await post_webhook(service, huge, {}), 413, "payload_too_large")

    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    assert_problem(
        await service.http.post(PATH, content=in_pieces(), headers=signature_headers(BODY)), 413, "payload_too_large"
    )
    assert len(await stored_events(service)) == 1


async def test_other_event_types_are_ignored(service: Service) -> None:
    for kind in ("contact.created", "domain.updated", "email.received", "email.invented", "", "\0", "x" * 1000):
        assert (await post_webhook(service, {"type": kind, "data": None})).status_code == 204
    assert await stored_events(service) == []


BOUNCE = {"type": "Transient", "message": "full"}
ODD_DETAILS: dict[str, dict[str, Any]] = {
    "a NUL in a text": {"bounce": BOUNCE | {"message": "no\0such user"}},
    "an escape spelt out": {"bounce": BOUNCE | {"message": "no\\u0000such user"}},
    "a NUL in the id": {"email_id": "a\0b"},
    "a NUL in the tag": {"tags": {"gatepost_email_id": "a\0b"}},
    "tags as when sending": {"tags": [{"name": "gatepost_email_id", "value": "x"}]},
    "a number for a tag": {"tags": {"gatepost_email_id": 5}},
    "a number for tags": {"tags": 5},
    "no bounce": {},
    "null for a bounce": {"bounce": None},
    "a text for a bounce": {"bounce": "full"},
    "null for its parts": {"bounce": {"type": None, "message": None, "diagnosticCode": None}},
    "an object for a text": {"bounce": BOUNCE | {"message": {"a": "\0"}, "diagnosticCode": {"a": 1}}},
    "a great number for a text": {"bounce": BOUNCE | {"message": 10**4000}},
    "not a number": {"bounce": BOUNCE | {"message": float("nan"), "diagnosticCode": [float("inf"), None, "x\0y"]}},
    "long texts": {"bounce": BOUNCE | {"message": "x" * 100_000, "diagnosticCode": ["y" * 10_000] * 50}},
    "null for all else": {"failed": None, "suppressed": None, "click": None, "tags": None},
}


async def test_events_with_unexpected_details_are_stored(service: Service, logged: Callable[[], str]) -> None:
    """A rejected event would be lost, and the status that it reports with it."""
    for name, data in ODD_DETAILS.items():
        provider_id = await create_sent_email(service)
        response = await post_webhook(service, webhook_event("email.bounced", provider_id, **data))
        assert response.status_code == 204, (name, response.text)
        event = (await stored_events(service))[-1]
        assert (event["type"], event["email_id"] is None) == ("bounced", "email_id" in data), name
        assert event["detail"]["message"], name
        assert len(json.dumps(event["detail"])) < 20_000, name
    assert len(await stored_events(service)) == len(ODD_DETAILS)
    assert (
        await service.sql.fetchval("select count(*) from gatepost.emails where status = 'bounced'")
        == len(ODD_DETAILS) - 1
    )
    assert await service.sql.fetchval("select count(*) from gatepost.email_suppressions") == 0
    assert "crashed" not in logged()
