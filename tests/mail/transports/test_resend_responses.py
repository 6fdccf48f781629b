"""Unusual responses of Resend, and what the transport makes of them."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.mail.transports import Accepted, Outcome, Rejected, Uncertain
from gatepost.mail.transports.resend import ResendTransport
from tests.support.raw_http_server import http_response, serve_bytes
from tests.support.transports import API_KEY, make_batch, make_message


async def outcome_of(raw: bytes, *, limit: float = 15.0, count: int = 1, key: str = API_KEY) -> Outcome:
    """Return the outcome of sending messages to a server that answers with these bytes."""
    async with serve_bytes(raw) as url:
        transport = ResendTransport(key, url, limit=limit)
        try:
            return await transport.send(make_batch(*(make_message() for _ in range(count))))
        finally:
            await transport.close()


def error_response(status: int, name: str, text: str = "That will not do.", **headers: str) -> bytes:
    body = {"statusCode": status, "name": name, "message": text}
    return http_response(status, json.dumps(body).encode(), **headers)


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        *((status, None) for status in (408, 409, 500, 520)),
        *((status, "message") for status in (400, 413, 422)),
        *((status, "account") for status in (302, 404, 405)),
        *((status, "account") for status in (401, 403)),
        (429, "rate_limit"),
    ],
)
@pytest.mark.parametrize(
    "body", [b"", b"<html>error code: 1010</html>", b'{"name":["x"]}', b"[" * 100_000, b'"\xff'], ids=range(5)
)
async def test_without_a_readable_error_the_status_decides(status: int, fault: str | None, body: bytes) -> None:
    outcome = await outcome_of(http_response(status, body))
    assert isinstance(outcome, Rejected if fault else Uncertain)
    assert getattr(outcome, "fault", None) == fault
    assert outcome.code == f"http_{status}"
    assert "Resend says" not in outcome.message


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{}", b"[]", b'"id"', b"null", b'{"id":""}', b'{"id":7}', b'{"data":[{"id":"a"}]}', b"<html>"),
        *(b'{"id":"a\\u0000"}', b'{"id":"\\ud800"}', b'{"id":"' + b"x" * 201 + b'"}', b"[" * 100_000),
        b'{"id":"a"' + b" " * 10**6 + b"}",
    ],
    ids=range(14),
)
async def test_an_acceptance_without_a_readable_id_is_uncertain(body: bytes) -> None:
    outcome = await outcome_of(http_response(200, body))
    assert isinstance(outcome, Uncertain)
    assert outcome.code == "unreadable_answer"


@pytest.mark.parametrize("ids", [[], ["a"], ["a", "a"], ["a", "b", "c"], ["a", None], "ab"])
async def test_a_batch_needs_an_id_for_each_message(ids: Any) -> None:
    body = {"data": [{"id": one} for one in ids] if isinstance(ids, list) else ids}
    assert isinstance(await outcome_of(http_response(200, json.dumps(body).encode()), count=2), Uncertain)


@pytest.mark.parametrize(
    ("headers", "rate"),
    [
        ({"ratelimit_limit": "10"}, 10.0),
        ({"ratelimit_limit": "10", "ratelimit_policy": "10;w=1"}, 10.0),
        ({"ratelimit_limit": "10, 10;w=2", "ratelimit_policy": "10; w=2"}, 5.0),
        ({"ratelimit_limit": "0.5"}, 0.5),
        ({}, None),
        ({"ratelimit_limit": "0"}, None),
        ({"ratelimit_limit": "-3"}, None),
        ({"ratelimit_limit": "10001"}, None),
        ({"ratelimit_limit": "many"}, None),
        ({"ratelimit_limit": "nan"}, None),
        ({"ratelimit_limit": "1e3"}, None),
        ({"ratelimit_limit": "10", "ratelimit_policy": "10;w=0"}, None),
    ],
)
async def test_the_rate_limit_is_read_from_the_headers(headers: dict[str, str], rate: float | None) -> None:
    assert await outcome_of(http_response(200, b'{"id":"a"}', **headers)) == Accepted(("a",), rate)


@pytest.mark.parametrize(
    ("headers", "name", "seconds"),
    [
        ({"retry_after": "7"}, "rate_limit_exceeded", 7.0),
        ({"retry_after": "7", "ratelimit_reset": "3"}, "rate_limit_exceeded", 7.0),
        ({"ratelimit_reset": "3"}, "rate_limit_exceeded", 3.0),
        ({"retry_after": "soon", "ratelimit_reset": "3"}, "rate_limit_exceeded", 3.0),
        ({"retry_after": "99999999"}, "rate_limit_exceeded", 86400.0),
        ({"retry_after": "-1"}, "rate_limit_exceeded", None),
        ({}, "rate_limit_exceeded", None),
        ({"ratelimit_reset": "3"}, "daily_quota_exceeded", None),
        ({"retry_after": "3600"}, "daily_quota_exceeded", 3600.0),
    ],
)
async def test_the_retry_time_is_read_from_the_headers(
    headers: dict[str, str], name: str, seconds: float | None
) -> None:
    outcome = await outcome_of(error_response(429, name, **headers))
    assert isinstance(outcome, Rejected)
    assert outcome.retry_after == seconds


@pytest.mark.parametrize("ahead", [-7200, -61.5, 62, 86400 * 400])
async def test_a_wrong_clock_is_detected(ahead: float) -> None:
    server_time = format_datetime(datetime.now(UTC) - timedelta(seconds=ahead), usegmt=True)
    outcome = await outcome_of(http_response(200, b'{"id":"a"}', date=server_time))
    assert isinstance(outcome, Accepted)
    assert outcome.clock_offset == pytest.approx(ahead, abs=10)


@pytest.mark.parametrize("date", ["", "yesterday", "Sat, 99 Nov 2026 99:99:99 GMT", "now"])
async def test_a_right_or_unknown_clock_is_not_reported(date: str) -> None:
    date = format_datetime(datetime.now(UTC) - timedelta(seconds=50), usegmt=True) if date == "now" else date
    assert await outcome_of(http_response(200, b'{"id":"a"}', date=date)) == Accepted(("a",))


PIECES = (
    st.sampled_from([API_KEY, API_KEY[:9], API_KEY[9:], "\n", "\0", "x" * 290, " ", "é", "\u2028", "\ud800"])
    | st.text()
)
MESSAGES = st.lists(PIECES, max_size=6).map("".join)
NAMES = st.sampled_from(["validation_error", "invalid_api_key", "rate_limit_exceeded", API_KEY]) | st.text()
ERRORS = st.fixed_dictionaries({"name": NAMES, "message": MESSAGES}).map(lambda found: json.dumps(found).encode())
VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda one: st.lists(one, max_size=3))
OBJECTS = st.dictionaries(st.sampled_from(["id", "data", "name", "message"]), VALUES)
BODIES = st.binary(max_size=300) | ERRORS | OBJECTS.map(lambda found: json.dumps(found).encode())
HEADERS = st.dictionaries(
    st.sampled_from(["Date", "Retry_After", "RateLimit_Limit", "RateLimit_Policy", "RateLimit_Reset"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30).map(str.strip),
)


@settings(deadline=None, max_examples=150)
@given(st.integers(200, 599) | st.sampled_from([200, 401, 403, 409, 422, 429]), BODIES, HEADERS, st.booleans())
def test_any_http_response_has_an_outcome(status: int, body: bytes, headers: dict[str, str], cut: bool) -> None:
    raw = http_response(status, body, **headers)
    outcome = asyncio.run(outcome_of(raw[:-1] if cut else raw, limit=5))
    assert isinstance(outcome, Accepted | Rejected | Uncertain)
    if isinstance(outcome, Accepted):
        assert 200 <= status < 300
        assert len(outcome.ids) == 1
    else:
        assert outcome.message.isprintable()
        assert len(outcome.message) < 500
        for part in (outcome.message, outcome.code, outcome.message.replace(" ", "")):
            assert API_KEY not in part


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=400))
def test_any_bytes_have_an_outcome(raw: bytes) -> None:
    assert not isinstance(asyncio.run(outcome_of(raw, limit=5)), Accepted)
