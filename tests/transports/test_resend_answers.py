"""What is made of the answers of a Resend that keeps no rules."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.mail.transports.resend import ResendTransport
from gatepost.mail.transports.transport import Accepted, Outcome, Refused, Uncertain
from tests.transports.canned import answer, canned
from tests.transports.dispatches import KEY, dispatch, message


async def told(raw: bytes, *, limit: float = 15.0, count: int = 1, key: str = KEY) -> Outcome:
    """Return what becomes of messages when a server answers with these bytes."""
    async with canned(raw) as url:
        transport = ResendTransport(key, url, limit=limit)
        try:
            return await transport.send(dispatch(*(message() for _ in range(count))))
        finally:
            await transport.close()


def error(status: int, name: str, words: str = "That will not do.", **headers: str) -> bytes:
    body = {"statusCode": status, "name": name, "message": words}
    return answer(status, json.dumps(body).encode(), **headers)


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        *((status, None) for status in (408, 409, 500, 520)),
        *((status, "message") for status in (400, 413, 422)),
        *((status, "account") for status in (302, 404, 405)),
        *((status, "account") for status in (401, 403)),
        (429, "pace"),
    ],
)
@pytest.mark.parametrize(
    "body", [b"", b"<html>error code: 1010</html>", b'{"name":["x"]}', b"[" * 100_000, b'"\xff'], ids=range(5)
)
async def test_without_a_name_the_status_counts(status: int, fault: str | None, body: bytes) -> None:
    outcome = await told(answer(status, body))
    assert isinstance(outcome, Refused if fault else Uncertain)
    assert getattr(outcome, "fault", None) == fault
    assert outcome.code == f"http_{status}"
    assert "Resend says" not in outcome.words


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{}", b"[]", b'"id"', b"null", b'{"id":""}', b'{"id":7}', b'{"data":[{"id":"a"}]}', b"<html>"),
        *(b'{"id":"a\\u0000"}', b'{"id":"\\ud800"}', b'{"id":"' + b"x" * 201 + b'"}', b"[" * 100_000),
        b'{"id":"a"' + b" " * 10**6 + b"}",
    ],
    ids=range(14),
)
async def test_an_acceptance_without_a_readable_id_is_no_answer(body: bytes) -> None:
    outcome = await told(answer(200, body))
    assert isinstance(outcome, Uncertain)
    assert outcome.code == "unreadable_answer"


@pytest.mark.parametrize("ids", [[], ["a"], ["a", "a"], ["a", "b", "c"], ["a", None], "ab"])
async def test_a_batch_wants_an_id_for_each(ids: Any) -> None:
    body = {"data": [{"id": one} for one in ids] if isinstance(ids, list) else ids}
    assert isinstance(await told(answer(200, json.dumps(body).encode()), count=2), Uncertain)


@pytest.mark.parametrize(
    ("headers", "pace"),
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
async def test_the_pace_is_learned(headers: dict[str, str], pace: float | None) -> None:
    assert await told(answer(200, b'{"id":"a"}', **headers)) == Accepted(("a",), pace)


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
async def test_when_to_come_back(headers: dict[str, str], name: str, seconds: float | None) -> None:
    outcome = await told(error(429, name, **headers))
    assert isinstance(outcome, Refused)
    assert outcome.retry_after == seconds


@pytest.mark.parametrize("ahead", [-7200, -61.5, 62, 86400 * 400])
async def test_a_clock_that_is_off_is_noticed(ahead: float) -> None:
    there = format_datetime(datetime.now(UTC) - timedelta(seconds=ahead), usegmt=True)
    outcome = await told(answer(200, b'{"id":"a"}', date=there))
    assert isinstance(outcome, Accepted)
    assert outcome.clock_off == pytest.approx(ahead, abs=10)


@pytest.mark.parametrize("date", ["", "yesterday", "Sat, 99 Nov 2026 99:99:99 GMT", "now"])
async def test_a_clock_that_is_right_or_unknown_is_not(date: str) -> None:
    date = format_datetime(datetime.now(UTC) - timedelta(seconds=50), usegmt=True) if date == "now" else date
    assert await told(answer(200, b'{"id":"a"}', date=date)) == Accepted(("a",))


PIECES = st.sampled_from([KEY, KEY[:9], KEY[9:], "\n", "\0", "x" * 290, " ", "é", "\u2028", "\ud800"]) | st.text()
SAYINGS = st.lists(PIECES, max_size=6).map("".join)
NAMES = st.sampled_from(["validation_error", "invalid_api_key", "rate_limit_exceeded", KEY]) | st.text()
ERRORS = st.fixed_dictionaries({"name": NAMES, "message": SAYINGS}).map(lambda found: json.dumps(found).encode())
VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda one: st.lists(one, max_size=3))
OBJECTS = st.dictionaries(st.sampled_from(["id", "data", "name", "message"]), VALUES)
BODIES = st.binary(max_size=300) | ERRORS | OBJECTS.map(lambda found: json.dumps(found).encode())
HEADERS = st.dictionaries(
    st.sampled_from(["Date", "Retry_After", "RateLimit_Limit", "RateLimit_Policy", "RateLimit_Reset"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30).map(str.strip),
)


@settings(deadline=None, max_examples=150)
@given(st.integers(200, 599) | st.sampled_from([200, 401, 403, 409, 422, 429]), BODIES, HEADERS, st.booleans())
def test_whatever_is_answered_there_is_an_outcome(status: int, body: bytes, headers: dict[str, str], cut: bool) -> None:
    raw = answer(status, body, **headers)
    outcome = asyncio.run(told(raw[:-1] if cut else raw, limit=5))
    assert isinstance(outcome, Accepted | Refused | Uncertain)
    if isinstance(outcome, Accepted):
        assert 200 <= status < 300
        assert len(outcome.ids) == 1
    else:
        assert outcome.words.isprintable()
        assert len(outcome.words) < 500
        for part in (outcome.words, outcome.code, outcome.words.replace(" ", "")):
            assert KEY not in part


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=400))
def test_whatever_is_no_http_there_is_an_outcome(raw: bytes) -> None:
    assert not isinstance(asyncio.run(told(raw, limit=5)), Accepted)
