"""Sending by Resend's API, to one that keeps its rules and to servers that keep none."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from datetime import timedelta
from uuid import UUID

import pytest

from gatepost.mail.transports.resend import ResendTransport, request_body
from gatepost.mail.transports.transport import Accepted, Attachment, Dispatch, Message, Refused, Uncertain
from tests.resend import ApiError, FakeResend
from tests.transports.dispatches import KEY, SENDER, dispatch, message


async def test_a_message(resend: FakeResend, transport: ResendTransport) -> None:
    one = message(subject="Grüße")
    sending = dispatch(one)
    outcome = await transport.send(sending)
    (booked,) = resend.books
    assert outcome == Accepted((booked.id,))
    assert (booked.key, booked.endpoint, booked.sender) == (str(sending.key), "/emails", SENDER)
    assert booked.tags == {"gatepost_email_id": str(one.id)}
    (request,) = resend.requests
    assert request.json() == {"from": SENDER} | one.parts()
    assert request.headers["user-agent"].startswith("gatepost/")
    assert request.headers["content-type"] == "application/json"


async def test_a_batch_is_taken_whole_or_not_at_all(resend: FakeResend, transport: ResendTransport) -> None:
    messages = [message(f"person{number}@example.com") for number in range(100)]
    outcome = await transport.send(dispatch(*messages))
    assert outcome == Accepted(tuple(booked.id for booked in resend.books))
    tags = [booked.tags["gatepost_email_id"] for booked in resend.books]
    assert tags == [str(one.id) for one in messages]
    assert {booked.endpoint for booked in resend.books} == {"/emails/batch"}

    outcome = await transport.send(dispatch(message(), message("no address")))
    assert isinstance(outcome, Refused)
    assert (outcome.fault, outcome.code) == ("message", "validation_error")
    assert len(resend.books) == 100


async def test_files_go_along(resend: FakeResend, transport: ResendTransport) -> None:
    files = (Attachment("Übersicht.pdf", "application/pdf", bytes(range(256))), Attachment("a.txt", "text/plain", b""))
    assert isinstance(await transport.send(dispatch(message(attachments=files))), Accepted)
    assert resend.books[0].attachments == ("Übersicht.pdf", "a.txt")
    first = resend.requests[0].json()["attachments"][0]
    assert base64.b64decode(first["content"]) == files[0].content


@pytest.mark.parametrize("mischief", ["drop-after", "cut", "500-after", "garbled", "hang-after"])
@pytest.mark.parametrize("count", [1, 3])
async def test_accepted_unheard_and_asked_again_it_went_out_once(resend: FakeResend, mischief: str, count: int) -> None:
    transport = ResendTransport(KEY, resend.url, limit=1 if mischief == "hang-after" else 15)
    sending = dispatch(*(message() for _ in range(count)))
    resend.next(mischief)
    first = await transport.send(sending)
    assert isinstance(first, Uncertain)
    assert not first.final
    ids = tuple(booked.id for booked in resend.books)
    assert await transport.send(sending) == await transport.send(sending) == Accepted(ids)
    assert len(ids) == len(resend.books) == count
    await transport.close()


@pytest.mark.parametrize("mischief", ["drop-before", "500-before", "502", "503", "hang-before"])
async def test_lost_on_the_way_nobody_knows(resend: FakeResend, mischief: str) -> None:
    transport = ResendTransport(KEY, resend.url, limit=1 if mischief == "hang-before" else 15)
    resend.next(mischief)
    outcome = await transport.send(dispatch())
    assert isinstance(outcome, Uncertain)
    assert resend.books == []
    assert isinstance(await transport.send(dispatch()), Accepted)
    await transport.close()


async def test_the_limit_is_for_the_whole_call() -> None:
    # A byte now and then keeps every single read short.
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await asyncio.sleep(0.02)
        ended.set()

    ended = asyncio.Event()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        transport = ResendTransport(KEY, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", limit=0.3)
        started = time.monotonic()
        outcome = await transport.send(dispatch())
        assert isinstance(outcome, Uncertain)
        assert outcome.code == "timeout"
        assert time.monotonic() - started < 3
        await transport.close()
        await ended.wait()


async def test_the_same_key_for_other_bytes_is_never_repeated(resend: FakeResend, transport: ResendTransport) -> None:
    first = dispatch()
    assert isinstance(await transport.send(first), Accepted)
    outcome = await transport.send(dispatch(key=first.key))
    assert isinstance(outcome, Uncertain)
    assert (outcome.code, outcome.final) == ("invalid_idempotent_request", True)
    assert len(resend.books) == 1


async def test_the_same_key_at_once_is_asked_again(resend: FakeResend, transport: ResendTransport) -> None:
    sending = dispatch()
    resend.next("slow:0.3")
    outcomes = await asyncio.gather(*(transport.send(sending) for _ in range(4)))
    assert sorted(type(one).__name__ for one in outcomes) == ["Accepted"] + ["Uncertain"] * 3
    assert {one.code for one in outcomes if isinstance(one, Uncertain)} == {"concurrent_idempotent_requests"}
    assert len(resend.books) == 1


@pytest.mark.parametrize(
    ("status", "name", "fault"),
    [
        (400, "invalid_idempotency_key", "message"),
        (400, "validation_error", "message"),
        (401, "missing_api_key", "account"),
        (401, "restricted_api_key", "account"),
        (401, "something_new", "account"),
        (403, "invalid_api_key", "account"),
        (403, "suspended_api_key", "account"),
        (403, "invalid_permission", "account"),
        (403, "invalid_access", "account"),
        (403, "email_above_quota", "account"),
        (403, "validation_error", "account"),
        (403, "something_new", "account"),
        (404, "not_found", "account"),
        (405, "method_not_allowed", "account"),
        (408, "something_new", None),
        (409, "concurrent_idempotent_requests", None),
        (409, "resource_locked", None),
        (409, "something_new", None),
        (413, "something_new", "message"),
        (418, "something_new", None),
        (422, "validation_error", "message"),
        (422, "missing_required_field", "message"),
        (422, "invalid_attachment", "message"),
        (422, "invalid_from_address", "account"),
        (422, "invalid_region", "account"),
        (429, "rate_limit_exceeded", "pace"),
        (429, "daily_quota_exceeded", "account"),
        (429, "monthly_quota_exceeded", "account"),
        (429, "something_new", "pace"),
        (500, "application_error", None),
        (500, "invalid_api_key", None),
        (503, "service_unavailable", None),
    ],
)
async def test_a_refusal_is_told_by_its_name(
    resend: FakeResend, transport: ResendTransport, status: int, name: str, fault: str | None
) -> None:
    resend.next(ApiError(status, name, "That will not do."))
    outcome = await transport.send(dispatch())
    if fault is None:
        assert isinstance(outcome, Uncertain)
        assert not outcome.final
    else:
        assert isinstance(outcome, Refused)
        assert outcome.fault == fault
    assert outcome.code == name
    assert outcome.words.endswith(" Resend says: That will not do.")


async def test_the_accounts_own_troubles(resend: FakeResend, transport: ResendTransport) -> None:
    wrong = ResendTransport("re_wrong", resend.url)
    outcomes = [
        (await wrong.send(dispatch()), "GATEPOST_RESEND_API_KEY"),
        (await transport.send(dispatch(sender="x@elsewhere.com")), "GATEPOST_MAIL_FROM"),
        (await transport.send(dispatch(sender="onboarding@resend.dev")), "GATEPOST_MAIL_FROM"),
    ]
    resend.quotas.daily = 1
    await transport.send(dispatch())
    outcomes.append((await transport.send(dispatch()), "Today's quota"))
    for outcome, words in outcomes:
        assert isinstance(outcome, Refused)
        assert outcome.fault == "account"
        assert words in outcome.words
    await wrong.close()


async def test_a_storm_says_when_to_come_back() -> None:
    async with FakeResend(api_key=KEY, rate=4) as resend:
        transport = ResendTransport(KEY, resend.url)
        assert (await transport.send(dispatch())) == Accepted((resend.books[0].id,), pace=4.0)
        resend.next("storm:1")
        outcome = await transport.send(dispatch())
        assert isinstance(outcome, Refused)
        assert (outcome.fault, outcome.retry_after, outcome.pace) == ("pace", 1.0, 4.0)
        await transport.close()


async def test_what_cannot_be_written_is_refused_for_good(transport: ResendTransport) -> None:
    broken = Message(UUID(int=1), '{"subject":"\ud800"}')
    for sending in (dispatch(broken), Dispatch(UUID(int=2), SENDER, ())):
        outcome = await transport.send(sending)
        assert isinstance(outcome, Refused)
        assert outcome.fault == "message"


async def test_after_closing_there_is_still_an_outcome(transport: ResendTransport) -> None:
    await transport.close()
    assert isinstance(await transport.send(dispatch()), Uncertain)


async def test_cancelling_is_not_held_up(resend: FakeResend, transport: ResendTransport) -> None:
    resend.next("hang-before")
    sending = asyncio.create_task(transport.send(dispatch()))
    while not resend.requests:
        await asyncio.sleep(0.001)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending


async def test_nothing_secret_is_logged(
    resend: FakeResend, transport: ResendTransport, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    resend.next("none", "500-after", ApiError(403, "invalid_api_key", f"{KEY} is wrong for ada@example.com"))
    for _ in range(3):
        await transport.send(dispatch())
    assert KEY not in caplog.text
    assert "ada@example.com" not in caplog.text


def test_the_bytes_are_those_of_the_dispatch() -> None:
    one = Message(UUID(int=1), '{"to": ["ada@example.com"],  "subject":"Grüße\\u00e9"}')
    two = Message(UUID(int=2), '{"to":["b@example.com"]}', (Attachment('a".txt', "text/plain", b"\0\xff"),))
    first = '{"from":"Acm\\u00e9 <a@acme.com>","to": ["ada@example.com"],  "subject":"Grüße\\u00e9"}'
    second = (
        '{"from":"Acm\\u00e9 <a@acme.com>","to":["b@example.com"],'
        '"attachments":[{"filename": "a\\".txt", "content_type": "text/plain", "content": "AP8="}]}'
    )
    key = UUID(int=3)
    assert request_body(Dispatch(key, "Acmé <a@acme.com>", (one,))).decode() == first
    assert request_body(Dispatch(key, "Acmé <a@acme.com>", (two,))).decode() == second
    assert request_body(Dispatch(key, "Acmé <a@acme.com>", (one, two))).decode() == f"[{first},{second}]"


async def test_what_it_promises(transport: ResendTransport) -> None:
    assert (transport.name, transport.most, transport.remembers) == ("resend", 100, timedelta(hours=23))
