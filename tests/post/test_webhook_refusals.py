"""Webhooks that are not what they should be: each is refused in the contract's words, and nothing is kept of it."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.post.knocking import PATH, event, kept, knock, sent_already, signed
from tests.resend import SECRET
from tests.support import Service, assert_problem, running_service

OTHER_SECRET = "whsec_" + base64.b64encode(b"somebody else's, as long").decode()
BODY = json.dumps(event()).encode()
Headers = dict[str, str]


@pytest.fixture
async def door(database_url: str) -> AsyncIterator[Service]:
    """A service that knows the secret."""
    async with running_service(database_url, resend_webhook_secret=SECRET) as service:
        yield service


def without(name: str) -> Headers:
    return {key: value for key, value in signed(BODY).items() if key != name}


def with_signature(change: Callable[[str], str]) -> Headers:
    headers = signed(BODY)
    return headers | {"svix-signature": change(headers["svix-signature"])}


UNSIGNED: dict[str, Callable[[], Headers]] = {
    "another secret": lambda: signed(BODY, secret=OTHER_SECRET),
    "another body": lambda: signed(BODY.replace(b"delivered", b"deliveree")),
    "another id": lambda: signed(BODY) | {"svix-id": "msg_1"},
    "another moment": lambda: signed(BODY) | {"svix-timestamp": signed(BODY, age=5)["svix-timestamp"]},
    "old": lambda: signed(BODY, age=310),
    "from the future": lambda: signed(BODY, age=-310),
    "no header": dict,
    "no id": lambda: without("svix-id"),
    "no timestamp": lambda: without("svix-timestamp"),
    "no signature": lambda: without("svix-signature"),
    "an empty id": lambda: signed(BODY) | {"svix-id": ""},
    "a word for a timestamp": lambda: signed(BODY) | {"svix-timestamp": "soon"},
    "no number": lambda: signed(BODY) | {"svix-timestamp": "nan"},
    "no end of a number": lambda: signed(BODY) | {"svix-timestamp": "1e400"},
    "too great a number": lambda: signed(BODY) | {"svix-timestamp": "9" * 30},
    "a version alone": lambda: signed(BODY) | {"svix-signature": "v1"},
    "an empty signature": lambda: signed(BODY) | {"svix-signature": "v1,"},
    "no base64": lambda: signed(BODY) | {"svix-signature": "v1,%%%="},
    "half of it": lambda: with_signature(lambda signature: signature[:-8]),
    "another version": lambda: with_signature(lambda signature: signature.replace("v1,", "v2,")),
    "many commas": lambda: with_signature(lambda signature: signature.replace(",", ",,")),
}


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """What was logged, but for the test's own client."""
    caplog.set_level(logging.DEBUG)

    def told() -> str:
        ours = [record for record in caplog.records if not record.name.startswith("http")]
        return "\n".join(record.getMessage() + (record.exc_text or "") for record in ours)

    return told


async def test_what_is_not_signed_is_refused(door: Service, log: Callable[[], str]) -> None:
    for name, headers in UNSIGNED.items():
        sent = headers()
        answer = await knock(door, BODY, sent)
        assert answer.status_code == 401, (name, answer.text)
        problem = assert_problem(answer, 401, "not_authenticated")
        assert "webhook" in problem["detail"]
        assert ("clock" in problem["detail"]) == (name in {"old", "from the future"}), name
        if signature := sent.get("svix-signature", "")[3:20]:
            assert signature not in answer.text + log(), name
    assert await kept(door) == []
    for secret in (SECRET, SECRET.removeprefix("whsec_"), "ada@acme.com"):
        assert secret not in log()
    assert log().count("a webhook was refused") == len(UNSIGNED)
    assert "crashed" not in log()


async def test_what_is_signed_is_taken(door: Service) -> None:
    """While a secret is changed there are several signatures; clocks may differ by five minutes."""
    wrong, right = signed(BODY, "msg_1", secret=OTHER_SECRET), signed(BODY, "msg_1")
    both = right | {"svix-signature": f"v1a,x {wrong['svix-signature']} {right['svix-signature']}"}
    for number, headers in enumerate([both, signed(BODY, age=290), signed(BODY, age=-290)], 1):
        answer = await knock(door, BODY, headers)
        assert (answer.status_code, answer.content) == (204, b"")
        assert len(await kept(door)) == number


async def test_without_a_secret_nothing_is_taken(service: Service) -> None:
    problem = assert_problem(await knock(service, BODY), 401, "not_authenticated")
    assert "GATEPOST_RESEND_WEBHOOK_SECRET" in problem["detail"]
    assert await kept(service) == []


def with_data(**data: Any) -> bytes:
    return json.dumps(event(**data)).encode()


def created(at: Any) -> bytes:
    return json.dumps(event() | {"created_at": at}).encode()


NONSENSE: dict[str, bytes] = {
    "nothing": b"",
    "not UTF-8": BODY.replace(b"ada@", b"\xffda@"),
    "not JSON": b"type=email.delivered",
    "half of it": BODY[:-1],
    "half a character": BODY.replace(b"ada@", rb"\ud800"),
    "too deep": BODY.replace(b'["ada@acme.com"]', b"[" * 5000 + b"]" * 5000),
    "too great a number": BODY.replace(b'["ada@acme.com"]', b"9" * 5000),
    "a list": b"[" + BODY + b"]",
    "a text": b'"email.delivered"',
    "null": b"null",
    "no type": b"{}",
    "a number for a type": b'{"type": 5}',
    "no data": b'{"type": "email.delivered", "created_at": "2026-11-21T12:00:00Z"}',
    "a list for data": json.dumps(event() | {"data": []}).encode(),
    "no email_id": json.dumps(event() | {"data": {"to": ["ada@acme.com"]}}).encode(),
    "an empty email_id": with_data(email_id=""),
    "a number for an email_id": with_data(email_id=5),
    "a long email_id": with_data(email_id="x" * 201),
    "no moment": json.dumps({key: value for key, value in event().items() if key != "created_at"}).encode(),
    "a number for a moment": created(1_795_000_000),
    "a moment without a zone": created("2026-11-21T12:00:00"),
    "a day": created("2026-11-21"),
    "a word for a moment": created("yesterday"),
    "before all time": created("0001-01-01T00:00:00+14:00"),
    "after all time": created("9999-12-31T23:59:59-14:00"),
    "a year of six digits": created("+275760-09-13T00:00:00Z"),
}


async def test_signed_nonsense_is_refused(door: Service, log: Callable[[], str]) -> None:
    for name, body in NONSENSE.items():
        answer = await knock(door, body)
        assert answer.status_code == 422, (name, answer.text)
        problem = assert_problem(answer, 422, "validation_failed")
        assert problem.get("errors") or "UTF-8" in problem["detail"], name
        assert "ada@acme.com" not in answer.text + log(), name
        assert await kept(door) == [], name
    assert "crashed" not in log()


async def test_a_body_may_have_a_megabyte(door: Service) -> None:
    room = 1024 * 1024 - len(BODY)
    assert (await knock(door, BODY + b" " * room)).status_code == 204
    for huge in (BODY + b" " * (room + 1), b"x" * 20_000_000):
        assert_problem(await knock(door, huge), 413, "payload_too_large")
        assert_problem(await knock(door, huge, {}), 413, "payload_too_large")

    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    assert_problem(await door.http.post(PATH, content=in_pieces(), headers=signed(BODY)), 413, "payload_too_large")
    assert len(await kept(door)) == 1


async def test_what_is_about_no_message_is_passed_over(door: Service) -> None:
    for kind in ("contact.created", "domain.updated", "email.received", "email.invented", "", "\0", "x" * 1000):
        assert (await knock(door, {"type": kind, "data": None})).status_code == 204
    assert await kept(door) == []


BOUNCE = {"type": "Transient", "message": "full"}
ODD: dict[str, dict[str, Any]] = {
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
    "no number": {"bounce": BOUNCE | {"message": float("nan"), "diagnosticCode": [float("inf"), None, "x\0y"]}},
    "long texts": {"bounce": BOUNCE | {"message": "x" * 100_000, "diagnosticCode": ["y" * 10_000] * 50}},
    "null for all else": {"failed": None, "suppressed": None, "click": None, "tags": None},
}


async def test_what_is_merely_odd_is_kept_all_the_same(door: Service, log: Callable[[], str]) -> None:
    """An event that is refused is lost, and with it what it tells."""
    for name, data in ODD.items():
        provider_id = await sent_already(door)
        answer = await knock(door, event("email.bounced", provider_id, **data))
        assert answer.status_code == 204, (name, answer.text)
        one = (await kept(door))[-1]
        assert (one["type"], one["email_id"] is None) == ("bounced", "email_id" in data), name
        assert one["detail"]["words"], name
        assert len(json.dumps(one["detail"])) < 20_000, name
    assert len(await kept(door)) == len(ODD)
    assert await door.sql.fetchval("select count(*) from gatepost.emails where status = 'bounced'") == len(ODD) - 1
    assert await door.sql.fetchval("select count(*) from gatepost.email_suppressions") == 0
    assert "crashed" not in log()
