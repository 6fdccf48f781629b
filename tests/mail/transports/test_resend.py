"""Sending through Resend's API, to the fake Resend and to servers that misbehave."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from datetime import timedelta
from uuid import UUID

import pytest

from gatepost.mail.transports import Accepted, Attachment, Batch, Message, Rejected, Uncertain
from gatepost.mail.transports.resend import ResendTransport, request_body
from tests.support.fake_resend import ApiError, FakeResend
from tests.support.mail import SENDER, TAG
from tests.support.transports import API_KEY, make_batch, make_message


async def test_a_message_is_sent_with_its_key_and_tags(resend: FakeResend, transport: ResendTransport) -> None:
    one = make_message(subject="Grüße")
    batch = make_batch(one)
    outcome = await transport.send(batch)
    (accepted,) = resend.messages
    assert outcome == Accepted((accepted.id,))
    assert (accepted.key, accepted.endpoint, accepted.sender) == (str(batch.key), "/emails", SENDER)
    assert accepted.tags == {TAG: str(one.id)}
    (request,) = resend.requests
    assert request.json() == {"from": SENDER} | one.parts()
    assert request.headers["user-agent"].startswith("gatepost/")
    assert request.headers["content-type"] == "application/json"


async def test_a_batch_is_accepted_as_a_whole_or_not_at_all(resend: FakeResend, transport: ResendTransport) -> None:
    messages = [make_message(f"user{number}@example.com") for number in range(100)]
    outcome = await transport.send(make_batch(*messages))
    assert outcome == Accepted(tuple(accepted.id for accepted in resend.messages))
    tags = [accepted.tags[TAG] for accepted in resend.messages]
    assert tags == [str(one.id) for one in messages]
    assert {accepted.endpoint for accepted in resend.messages} == {"/emails/batch"}

    outcome = await transport.send(make_batch(make_message(), make_message("no address")))
    assert isinstance(outcome, Rejected)
    assert (outcome.fault, outcome.code) == ("message", "validation_error")
    assert len(resend.messages) == 100


async def test_attachments_are_sent(resend: FakeResend, transport: ResendTransport) -> None:
    files = (Attachment("Übersicht.pdf", "application/pdf", bytes(range(256))), Attachment("a.txt", "text/plain", b""))
    assert isinstance(await transport.send(make_batch(make_message(attachments=files))), Accepted)
    assert resend.messages[0].attachments == ("Übersicht.pdf", "a.txt")
    first = resend.requests[0].json()["attachments"][0]
    assert base64.b64decode(first["content"]) == files[0].content


@pytest.mark.parametrize("fault", ["drop-after", "cut", "500-after", "garbled", "hang-after"])
@pytest.mark.parametrize("count", [1, 3])
async def test_a_request_accepted_without_a_response_is_uncertain_and_sent_once_when_repeated(
    resend: FakeResend, fault: str, count: int
) -> None:
    transport = ResendTransport(API_KEY, resend.url, limit=1 if fault == "hang-after" else 15)
    batch = make_batch(*(make_message() for _ in range(count)))
    resend.fail_next(fault)
    first = await transport.send(batch)
    assert isinstance(first, Uncertain)
    assert not first.final
    ids = tuple(accepted.id for accepted in resend.messages)
    assert await transport.send(batch) == await transport.send(batch) == Accepted(ids)
    assert len(ids) == len(resend.messages) == count
    await transport.close()


@pytest.mark.parametrize("fault", ["drop-before", "500-before", "502", "503", "hang-before"])
async def test_a_request_lost_before_acceptance_is_uncertain(resend: FakeResend, fault: str) -> None:
    transport = ResendTransport(API_KEY, resend.url, limit=1 if fault == "hang-before" else 15)
    resend.fail_next(fault)
    outcome = await transport.send(make_batch())
    assert isinstance(outcome, Uncertain)
    assert resend.messages == []
    assert isinstance(await transport.send(make_batch()), Accepted)
    await transport.close()


async def test_the_timeout_applies_to_the_whole_call() -> None:
    # A byte now and then ends every single read in time.
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await asyncio.sleep(0.02)
        closed.set()

    closed = asyncio.Event()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        transport = ResendTransport(API_KEY, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", limit=0.3)
        started_at = time.monotonic()
        outcome = await transport.send(make_batch())
        assert isinstance(outcome, Uncertain)
        assert outcome.code == "timeout"
        assert time.monotonic() - started_at < 3
        await transport.close()
        await closed.wait()


async def test_a_key_reused_for_another_payload_is_final(resend: FakeResend, transport: ResendTransport) -> None:
    first = make_batch()
    assert isinstance(await transport.send(first), Accepted)
    outcome = await transport.send(make_batch(key=first.key))
    assert isinstance(outcome, Uncertain)
    assert (outcome.code, outcome.final) == ("invalid_idempotent_request", True)
    assert len(resend.messages) == 1


async def test_concurrent_requests_with_the_same_key_can_be_repeated(
    resend: FakeResend, transport: ResendTransport
) -> None:
    batch = make_batch()
    resend.fail_next("slow:0.3")
    outcomes = await asyncio.gather(*(transport.send(batch) for _ in range(4)))
    assert sorted(type(one).__name__ for one in outcomes) == ["Accepted"] + ["Uncertain"] * 3
    assert {one.code for one in outcomes if isinstance(one, Uncertain)} == {"concurrent_idempotent_requests"}
    assert len(resend.messages) == 1


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
        (429, "rate_limit_exceeded", "rate_limit"),
        (429, "daily_quota_exceeded", "account"),
        (429, "monthly_quota_exceeded", "account"),
        (429, "something_new", "rate_limit"),
        (500, "application_error", None),
        (500, "invalid_api_key", None),
        (503, "service_unavailable", None),
    ],
)
async def test_an_error_is_classified_by_its_name(
    resend: FakeResend, transport: ResendTransport, status: int, name: str, fault: str | None
) -> None:
    resend.fail_next(ApiError(status, name, "That will not do."))
    outcome = await transport.send(make_batch())
    if fault is None:
        assert isinstance(outcome, Uncertain)
        assert not outcome.final
    else:
        assert isinstance(outcome, Rejected)
        assert outcome.fault == fault
    assert outcome.code == name
    assert outcome.message.endswith(" Resend says: That will not do.")


async def test_account_errors_name_the_setting(resend: FakeResend, transport: ResendTransport) -> None:
    wrong = ResendTransport("re_wrong", resend.url)
    outcomes = [
        (await wrong.send(make_batch()), "GATEPOST_RESEND_API_KEY"),
        (await transport.send(make_batch(sender="x@elsewhere.com")), "GATEPOST_MAIL_FROM"),
        (await transport.send(make_batch(sender="onboarding@resend.dev")), "GATEPOST_MAIL_FROM"),
    ]
    resend.quotas.daily = 1
    await transport.send(make_batch())
    outcomes.append((await transport.send(make_batch()), "The daily quota"))
    for outcome, hint in outcomes:
        assert isinstance(outcome, Rejected)
        assert outcome.fault == "account"
        assert hint in outcome.message
    await wrong.close()


async def test_a_rate_limit_response_has_the_retry_time_and_the_rate() -> None:
    async with FakeResend(api_key=API_KEY, rate=4) as resend:
        transport = ResendTransport(API_KEY, resend.url)
        assert (await transport.send(make_batch())) == Accepted((resend.messages[0].id,), rate=4.0)
        resend.fail_next("rate-limit:1")
        outcome = await transport.send(make_batch())
        assert isinstance(outcome, Rejected)
        assert (outcome.fault, outcome.retry_after, outcome.rate) == ("rate_limit", 1.0, 4.0)
        await transport.close()


async def test_an_invalid_message_is_rejected_for_good(transport: ResendTransport) -> None:
    broken = Message(UUID(int=1), '{"subject":"\ud800"}')
    for batch in (make_batch(broken), Batch(UUID(int=2), SENDER, ())):
        outcome = await transport.send(batch)
        assert isinstance(outcome, Rejected)
        assert outcome.fault == "message"


async def test_sending_after_closing_has_an_outcome(transport: ResendTransport) -> None:
    await transport.close()
    assert isinstance(await transport.send(make_batch()), Uncertain)


async def test_sending_can_be_cancelled(resend: FakeResend, transport: ResendTransport) -> None:
    resend.fail_next("hang-before")
    sending = asyncio.create_task(transport.send(make_batch()))
    while not resend.requests:
        await asyncio.sleep(0.001)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending


async def test_no_secret_is_logged(
    resend: FakeResend, transport: ResendTransport, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    resend.fail_next("none", "500-after", ApiError(403, "invalid_api_key", f"{API_KEY} is wrong for ada@example.com"))
    for _ in range(3):
        await transport.send(make_batch())
    assert API_KEY not in caplog.text
    assert "ada@example.com" not in caplog.text


def test_the_request_body_has_the_bytes_of_the_batch() -> None:
    one = Message(UUID(int=1), '{"to": ["ada@example.com"],  "subject":"Grüße\\u00e9"}')
    two = Message(UUID(int=2), '{"to":["b@example.com"]}', (Attachment('a".txt', "text/plain", b"\0\xff"),))
    first = '{"from":"Acm\\u00e9 <a@acme.com>","to": ["ada@example.com"],  "subject":"Grüße\\u00e9"}'
    second = (
        '{"from":"Acm\\u00e9 <a@acme.com>","to":["b@example.com"],'
        '"attachments":[{"filename": "a\\".txt", "content_type": "text/plain", "content": "AP8="}]}'
    )
    key = UUID(int=3)
    assert request_body(Batch(key, "Acmé <a@acme.com>", (one,))).decode() == first
    assert request_body(Batch(key, "Acmé <a@acme.com>", (two,))).decode() == second
    assert request_body(Batch(key, "Acmé <a@acme.com>", (one, two))).decode() == f"[{first},{second}]"


async def test_properties(transport: ResendTransport) -> None:
    assert (transport.name, transport.max_batch, transport.idempotency_window) == ("resend", 100, timedelta(hours=23))
