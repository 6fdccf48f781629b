"""The fake Resend misbehaves as planned, and its books tell the truth all the while."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from tests.resend import REQUEST_KINDS, ApiError, FakeResend, Mischief
from tests.resend.conftest import client_of
from tests.resend.test_fake import assert_refused, email


@pytest.mark.parametrize(
    ("kind", "accepted", "error"),
    [
        ("drop-before", 0, httpx.ReadError),
        ("drop-after", 1, httpx.RemoteProtocolError),
        ("cut", 1, httpx.RemoteProtocolError),
        ("hang-before:9", 0, httpx.ReadTimeout),
        ("hang:9", 1, httpx.ReadTimeout),
        ("hang-before:0.01", 0, httpx.RemoteProtocolError),
        ("hang-after:0.01", 1, httpx.RemoteProtocolError),
    ],
)
async def test_no_answer_says_nothing_about_acceptance(
    resend: FakeResend, http: httpx.AsyncClient, kind: str, accepted: int, error: type[Exception]
) -> None:
    resend.next(kind)
    headers = {"Idempotency-Key": "k"}
    with pytest.raises(error):
        await http.post("/emails", json=email(), headers=headers, timeout=httpx.Timeout(5, read=0.3))
    assert len(resend.books) == accepted
    assert resend.requests[0].status == (200 if kind == "cut" else None)
    answer = await http.post("/emails", json=email(), headers=headers)
    assert answer.json() == {"id": resend.books[0].id}
    assert len(resend.books) == 1


@pytest.mark.parametrize(
    ("kind", "accepted", "status"),
    [("500-before", 0, 500), ("500-after", 1, 500), ("502", 0, 502), ("503", 0, 503), ("garbled", 1, 200)],
)
async def test_answers_that_are_not_json(
    resend: FakeResend, http: httpx.AsyncClient, kind: str, accepted: int, status: int
) -> None:
    resend.next(kind)
    answer = await http.post("/emails", json=email())
    assert (answer.status_code, len(resend.books)) == (status, accepted)
    assert answer.text.startswith("<")
    assert resend.requests[0].mischief == kind


async def test_a_storm_refuses_as_many_as_it_says(resend: FakeResend, http: httpx.AsyncClient) -> None:
    resend.pace.rate = 50
    resend.next("storm:3")
    answers = [await http.post("/emails", json=email()) for _ in range(4)]
    for answer in answers[:3]:
        assert_refused(answer, 429, "rate_limit_exceeded")
        assert (answer.headers["retry-after"], answer.headers["ratelimit-remaining"]) == ("1", "0")
    assert answers[3].status_code == 200


async def test_a_slow_answer_comes(resend: FakeResend, http: httpx.AsyncClient) -> None:
    resend.next("slow:0.1")
    begun = time.monotonic()
    assert (await http.post("/emails", json=email())).status_code == 200
    assert time.monotonic() - begun >= 0.1


async def test_a_slow_request_is_accepted_though_its_client_left(resend: FakeResend, http: httpx.AsyncClient) -> None:
    resend.next("slow:0.2")
    with pytest.raises(httpx.ReadTimeout):
        await http.post("/emails", json=email(), timeout=httpx.Timeout(5, read=0.05))
    assert not resend.books
    async with asyncio.timeout(5):
        while not resend.books:
            await asyncio.sleep(0.005)


async def test_refusals_of_your_own(resend: FakeResend, http: httpx.AsyncClient) -> None:
    wait = ApiError(429, "rate_limit_exceeded", "Wait.", headers={"retry-after": "30"})
    resend.next(wait, "none", ApiError(403, "email_above_quota", "No."))
    answers = [await http.post("/emails", json=email()) for _ in range(3)]
    assert_refused(answers[0], 429, "rate_limit_exceeded", "Wait.")
    assert answers[0].headers["retry-after"] == "30"
    assert answers[1].status_code == 200
    assert_refused(answers[2], 403, "email_above_quota")


async def test_what_comes_after_acceptance_waits_for_one(resend: FakeResend, http: httpx.AsyncClient) -> None:
    resend.next("500-after")
    assert (await http.post("/emails", json=email(to="a"))).status_code == 422
    assert (await http.post("/emails", json=email())).status_code == 500
    assert (await http.get("/emails/x")).status_code == 404
    assert [request.mischief for request in resend.requests] == [None, "500-after", None]


async def test_the_same_seed_draws_the_same() -> None:
    shares = {kind: 1 / len(REQUEST_KINDS) for kind in REQUEST_KINDS if kind != "slow"}

    def drawn(seed: int) -> list[str]:
        mischief = Mischief(seed, shares)
        return [mishap.kind if (mishap := mischief.for_request()) else "" for _ in range(500)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert {*drawn(1)} == {*shares, ""}
    with pytest.raises(ValueError, match="no such mischief"):
        Mischief(1, {"hangs": 0.1})
    with pytest.raises(ValueError, match="more than all"):
        Mischief(1, {"hang": 0.6, "cut": 0.6})


async def test_whoever_repeats_with_the_same_key_is_accepted_once_whatever_happens() -> None:
    shares = dict.fromkeys(("drop-before", "drop-after", "cut", "500-before", "500-after", "502", "garbled"), 0.08)
    shares |= {"hang-before:0.01": 0.05, "hang-after:0.01": 0.05, "slow:0.01": 0.05, "storm:2": 0.05}
    async with FakeResend(rate=None, mischief=Mischief(3, shares)) as resend, client_of(resend) as http:

        async def send(number: int) -> str:
            sent = [email(tags=[{"name": "number", "value": str(number)}])]
            while True:
                try:
                    answer = await http.post("/emails/batch", json=sent, headers={"Idempotency-Key": str(number)})
                    return str(answer.json()["data"][0]["id"])
                except (httpx.TransportError, ValueError, KeyError):
                    continue

        ids = await asyncio.gather(*(send(number) for number in range(200)))
        assert {*resend.books.times("number").values()} == {1}
        assert sorted(ids) == sorted(message.id for message in resend.books)
        assert {request.mischief for request in resend.requests} >= {"cut", "garbled", "500-after", "hang-after"}


async def test_closing_does_not_wait_for_what_hangs() -> None:
    begun = time.monotonic()
    async with FakeResend() as resend, client_of(resend) as http:
        resend.next("hang:60", "slow:60")
        waiting = [asyncio.create_task(http.post("/emails", json=email())) for _ in range(2)]
        async with asyncio.timeout(5):
            while len(resend.requests) < 2:
                await asyncio.sleep(0.005)
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    assert time.monotonic() - begun < 5


async def test_ten_thousand_in_batches_are_no_burden(resend: FakeResend, http: httpx.AsyncClient) -> None:
    sent = httpx.Request("POST", "/", json=[email(html="h" * 15_000)] * 100).read()
    begun = time.monotonic()
    for number in range(100):
        answer = await http.post("/emails/batch", content=sent, headers={"Idempotency-Key": str(number)})
        assert answer.status_code == 200
    assert len(resend.books) == 10_000
    assert time.monotonic() - begun < 20
