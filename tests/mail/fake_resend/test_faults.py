"""Faults of the fake Resend: they happen as planned, and the recorded messages are right nevertheless."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from tests.support.fake_resend import REQUEST_FAULTS, ApiError, FakeResend, Faults
from tests.support.fake_resend.requests import assert_api_error, make_email, resend_client


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
async def test_without_a_response_the_message_may_or_may_not_be_accepted(
    resend: FakeResend, http: httpx.AsyncClient, kind: str, accepted: int, error: type[Exception]
) -> None:
    resend.fail_next(kind)
    headers = {"Idempotency-Key": "k"}
    with pytest.raises(error):
        await http.post("/emails", json=make_email(), headers=headers, timeout=httpx.Timeout(5, read=0.3))
    assert len(resend.messages) == accepted
    assert resend.requests[0].status == (200 if kind == "cut" else None)
    response = await http.post("/emails", json=make_email(), headers=headers)
    assert response.json() == {"id": resend.messages[0].id}
    assert len(resend.messages) == 1


@pytest.mark.parametrize(
    ("kind", "accepted", "status"),
    [("500-before", 0, 500), ("500-after", 1, 500), ("502", 0, 502), ("503", 0, 503), ("garbled", 1, 200)],
)
async def test_responses_that_are_not_json(
    resend: FakeResend, http: httpx.AsyncClient, kind: str, accepted: int, status: int
) -> None:
    resend.fail_next(kind)
    response = await http.post("/emails", json=make_email())
    assert (response.status_code, len(resend.messages)) == (status, accepted)
    assert response.text.startswith("<")
    assert resend.requests[0].fault == kind


async def test_a_rate_limit_fault_rejects_that_many_requests(resend: FakeResend, http: httpx.AsyncClient) -> None:
    resend.rate_limit.rate = 50
    resend.fail_next("rate-limit:3")
    responses = [await http.post("/emails", json=make_email()) for _ in range(4)]
    for response in responses[:3]:
        assert_api_error(response, 429, "rate_limit_exceeded")
        assert (response.headers["retry-after"], response.headers["ratelimit-remaining"]) == ("1", "0")
    assert responses[3].status_code == 200


async def test_a_slow_response(resend: FakeResend, http: httpx.AsyncClient) -> None:
    resend.fail_next("slow:0.1")
    started_at = time.monotonic()
    assert (await http.post("/emails", json=make_email())).status_code == 200
    assert time.monotonic() - started_at >= 0.1


async def test_a_slow_request_is_accepted_after_its_client_has_left(
    resend: FakeResend, http: httpx.AsyncClient
) -> None:
    resend.fail_next("slow:0.2")
    with pytest.raises(httpx.ReadTimeout):
        await http.post("/emails", json=make_email(), timeout=httpx.Timeout(5, read=0.05))
    assert not resend.messages
    async with asyncio.timeout(5):
        while not resend.messages:
            await asyncio.sleep(0.005)


async def test_planned_errors(resend: FakeResend, http: httpx.AsyncClient) -> None:
    wait = ApiError(429, "rate_limit_exceeded", "Wait.", headers={"retry-after": "30"})
    resend.fail_next(wait, "none", ApiError(403, "email_above_quota", "No."))
    responses = [await http.post("/emails", json=make_email()) for _ in range(3)]
    assert_api_error(responses[0], 429, "rate_limit_exceeded", "Wait.")
    assert responses[0].headers["retry-after"] == "30"
    assert responses[1].status_code == 200
    assert_api_error(responses[2], 403, "email_above_quota")


async def test_a_fault_after_acceptance_waits_for_an_accepted_request(
    resend: FakeResend, http: httpx.AsyncClient
) -> None:
    resend.fail_next("500-after")
    assert (await http.post("/emails", json=make_email(to="a"))).status_code == 422
    assert (await http.post("/emails", json=make_email())).status_code == 500
    assert (await http.get("/emails/x")).status_code == 404
    assert [request.fault for request in resend.requests] == [None, "500-after", None]


async def test_a_seed_always_draws_the_same_faults() -> None:
    rates = {kind: 1 / len(REQUEST_FAULTS) for kind in REQUEST_FAULTS if kind != "slow"}

    def draw(seed: int) -> list[str]:
        faults = Faults(seed, rates)
        return [drawn_fault.kind if (drawn_fault := faults.for_request()) else "" for _ in range(500)]

    assert draw(1) == draw(1) != draw(2)
    assert {*draw(1)} == {*rates, ""}
    with pytest.raises(ValueError, match="unknown fault"):
        Faults(1, {"hangs": 0.1})
    with pytest.raises(ValueError, match="more than 1"):
        Faults(1, {"hang": 0.6, "cut": 0.6})


async def test_requests_repeated_with_their_key_are_accepted_once_despite_faults() -> None:
    rates = dict.fromkeys(("drop-before", "drop-after", "cut", "500-before", "500-after", "502", "garbled"), 0.08)
    rates |= {"hang-before:0.01": 0.05, "hang-after:0.01": 0.05, "slow:0.01": 0.05, "rate-limit:2": 0.05}
    async with FakeResend(rate=None, faults=Faults(3, rates)) as resend, resend_client(resend) as http:

        async def send(number: int) -> str:
            sent = [make_email(tags=[{"name": "number", "value": str(number)}])]
            while True:
                try:
                    response = await http.post("/emails/batch", json=sent, headers={"Idempotency-Key": str(number)})
                    return str(response.json()["data"][0]["id"])
                except (httpx.TransportError, ValueError, KeyError):
                    continue

        ids = await asyncio.gather(*(send(number) for number in range(200)))
        assert {*resend.messages.count_by_tag("number").values()} == {1}
        assert sorted(ids) == sorted(message.id for message in resend.messages)
        assert {request.fault for request in resend.requests} >= {"cut", "garbled", "500-after", "hang-after"}


async def test_closing_does_not_wait_for_hanging_requests() -> None:
    started_at = time.monotonic()
    async with FakeResend() as resend, resend_client(resend) as http:
        resend.fail_next("hang:60", "slow:60")
        waiting = [asyncio.create_task(http.post("/emails", json=make_email())) for _ in range(2)]
        async with asyncio.timeout(5):
            while len(resend.requests) < 2:
                await asyncio.sleep(0.005)
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    assert time.monotonic() - started_at < 5


async def test_ten_thousand_emails_in_batches_are_fast(resend: FakeResend, http: httpx.AsyncClient) -> None:
    sent = httpx.Request("POST", "/", json=[make_email(html="h" * 15_000)] * 100).read()
    started_at = time.monotonic()
    for number in range(100):
        response = await http.post("/emails/batch", content=sent, headers={"Idempotency-Key": str(number)})
        assert response.status_code == 200
    assert len(resend.messages) == 10_000
    assert time.monotonic() - started_at < 20
