"""The fake Resend tells what became of a message as the real one does, and as badly as the real one may."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.resend import SECRET, FakeResend, Mischief, Webhooks
from tests.resend.test_fake import email
from tests.resend.wire import Listener, Reply, Request

TAGS = [{"name": "gatepost_email_id", "value": "42"}]


@dataclass
class Receiver:
    """An endpoint that takes what is signed rightly, after refusing as often as it is told to."""

    url: str = ""
    refusals: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    async def take(self, request: Request) -> Reply:
        self.ids.append(request.headers["svix-id"])
        headers = {f"webhook-{name}": request.headers[f"svix-{name}"] for name in ("id", "timestamp", "signature")}
        try:
            Webhook(SECRET).verify(request.body, headers)
        except WebhookVerificationError as error:
            self.faults.append(str(error))
            return Reply(401, b"")
        if self.refusals:
            self.refusals -= 1
            return Reply(503, b"")
        self.events.append(json.loads(request.body))
        return Reply(204, b"")

    @property
    def types(self) -> list[str]:
        return [event["type"].removeprefix("email.") for event in self.events]


@pytest.fixture
async def receiver(resend: FakeResend) -> AsyncIterator[Receiver]:
    """Where the events of `resend` go."""
    receiver = Receiver()
    listener = Listener(receiver.take)
    receiver.url = f"http://127.0.0.1:{await listener.open()}"
    resend.webhooks = Webhooks(receiver.url)
    yield receiver
    await resend.settled()
    await listener.close()


async def test_events_have_the_shape_of_resends(
    resend: FakeResend, http: httpx.AsyncClient, receiver: Receiver
) -> None:
    resend.clock = lambda: datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
    await http.post("/emails", json=email(tags=TAGS, headers={"X-A": "b"}))
    await resend.settled()
    data = {
        "email_id": resend.books[0].id,
        "created_at": "2026-03-01T12:00:00.250Z",
        "from": "Acme <no-reply@acme.com>",
        "to": ["ada@example.com"],
        "subject": "Hello",
        "tags": {"gatepost_email_id": "42"},
        "headers": [{"name": "X-A", "value": "b"}],
    }
    assert receiver.events == [
        {"type": "email.sent", "created_at": "2026-03-01T12:00:00.251Z", "data": data},
        {"type": "email.delivered", "created_at": "2026-03-01T12:00:00.252Z", "data": data},
    ]
    assert len({*receiver.ids}) == 2


@pytest.mark.parametrize(
    ("to", "types"),
    [
        ("delivered@resend.dev", ["sent", "delivered"]),
        ("bounced+label@resend.dev", ["sent", "bounced"]),
        ("complained@resend.dev", ["sent", "delivered", "complained"]),
        ("Suppressed@resend.dev", ["suppressed"]),
        ("blocked@example.com", ["suppressed"]),
        ("late@example.com", ["sent", "delivery_delayed", "delivered"]),
        ("failing@example.com", ["failed"]),
    ],
)
async def test_fates(
    resend: FakeResend, http: httpx.AsyncClient, receiver: Receiver, to: str, types: list[str]
) -> None:
    resend.suppressed.add("blocked@example.com")
    resend.fates["late@example.com"] = ("email.sent", "email.delivery_delayed", "email.delivered")
    resend.fates["failing@example.com"] = ("email.failed",)
    assert (await http.post("/emails", json=email(to=to))).status_code == 200
    await resend.settled()
    assert receiver.types == types
    assert resend.books[0].last_event == types[-1]
    assert "tags" not in receiver.events[0]["data"]
    details = receiver.events[-1]["data"]
    if types[-1] == "bounced":
        assert (details["bounce"]["type"], details["bounce"]["subType"]) == ("Permanent", "General")
        assert details["bounce"]["diagnosticCode"] == ["smtp; 550 5.1.1 user unknown"]
    if types[-1] == "suppressed":
        assert details["suppressed"]["reason"] == "previous_bounce"
    if types[-1] == "failed":
        assert details["failed"] == {"reason": "reached_daily_quota"}


async def test_who_bounced_or_complained_gets_nothing_more(
    resend: FakeResend, http: httpx.AsyncClient, receiver: Receiver
) -> None:
    resend.fates = {
        "gone@example.com": ("email.sent", "email.bounced"),
        "cross@example.com": ("email.sent", "email.delivered", "email.complained"),
    }
    for to in ("gone@example.com", "Gone@example.com", "cross@example.com", "cross@example.com"):
        await http.post("/emails", json=email(to=to))
        await resend.settled()
    reasons = [event["data"]["suppressed"]["reason"] for event in receiver.events if "suppressed" in event["data"]]
    assert reasons == ["previous_bounce", "previous_complaint"]


async def test_events_told_by_hand(resend: FakeResend, http: httpx.AsyncClient, receiver: Receiver) -> None:
    await http.post("/emails", json=email(tags=TAGS))
    (message,) = resend.books
    bounce = {"type": "Transient", "subType": "MailboxFull", "message": "Full.", "diagnosticCode": []}
    resend.tell(message, "email.bounced", bounce=bounce, at=message.at + timedelta(days=21))
    await resend.settled()
    (told,) = [event for event in receiver.events if event["type"] == "email.bounced"]
    assert (told["data"]["email_id"], told["data"]["bounce"]) == (message.id, bounce)
    assert datetime.fromisoformat(told["created_at"]) - message.at > timedelta(days=20)
    assert not resend.suppressed
    resend.tell(message, "email.complained")
    assert (resend.suppressed, message.last_event) == ({"ada@example.com"}, "complained")


async def test_retries_keep_the_id_until_somebody_takes_it(
    resend: FakeResend, http: httpx.AsyncClient, receiver: Receiver
) -> None:
    resend.webhooks = hooks = Webhooks(receiver.url, retries=(0.01, 0.01), types=frozenset({"email.sent"}))
    receiver.refusals = 2
    await http.post("/emails", json=email())
    await resend.settled()
    assert (receiver.types, len({*receiver.ids})) == (["sent"], 1)
    assert [(attempt.number, attempt.status) for attempt in hooks.attempts] == [(0, 503), (1, 503), (2, 204)]

    receiver.refusals = 3
    await http.post("/emails", json=email())
    await resend.settled()
    assert hooks.given_up == [receiver.ids[-1]]


async def test_nobody_there(resend: FakeResend, http: httpx.AsyncClient) -> None:
    resend.webhooks = hooks = Webhooks("http://127.0.0.1:1", retries=(0.01,))
    await http.post("/emails", json=email())
    await resend.settled()
    assert (len(hooks.given_up), {attempt.status for attempt in hooks.attempts}) == (2, {None})


@pytest.mark.parametrize(
    ("kind", "fault"), [("forged", "No matching signature found"), ("stale", "Message timestamp too old")]
)
async def test_what_a_receiver_must_refuse_comes_rightly_again(
    resend: FakeResend, http: httpx.AsyncClient, receiver: Receiver, kind: str, fault: str
) -> None:
    resend.webhooks = Webhooks(receiver.url, mischief=Mischief(1, {kind: 1}))
    await http.post("/emails", json=email())
    await resend.settled()
    assert receiver.faults == [fault] * 2
    assert sorted(receiver.types) == ["delivered", "sent"]


async def test_duplicated_shuffled_and_untagged(
    resend: FakeResend, http: httpx.AsyncClient, receiver: Receiver
) -> None:
    resend.webhooks = Webhooks(receiver.url, mischief=Mischief(1, {"duplicated": 1, "shuffled": 1, "untagged": 1}))
    await http.post("/emails", json=email(tags=TAGS))
    await resend.settled()
    assert receiver.types == ["delivered"] * 2 + ["sent"] * 2
    assert {*Counter(receiver.ids).values()} == {2}
    assert receiver.events[0]["created_at"] > receiver.events[-1]["created_at"]
    assert not [event for event in receiver.events if "tags" in event["data"]]


async def test_early_events_come_before_the_answer(
    resend: FakeResend, http: httpx.AsyncClient, receiver: Receiver
) -> None:
    resend.webhooks = Webhooks(receiver.url, mischief=Mischief(1, {"early": 1}), delay=0.05)
    answer = await http.post("/emails/batch", json=[email(to=f"a{number}@example.com") for number in range(5)])
    assert receiver.types == ["sent"] * 5
    assert {event["data"]["email_id"] for event in receiver.events} == {one["id"] for one in answer.json()["data"]}


async def test_what_is_accepted_without_an_answer_is_told_too(
    resend: FakeResend, http: httpx.AsyncClient, receiver: Receiver
) -> None:
    resend.next("drop-after")
    with pytest.raises(httpx.RemoteProtocolError):
        await http.post("/emails", json=email(), headers={"Idempotency-Key": "k"})
    await resend.settled()
    assert receiver.types == ["sent", "delivered"]
    await http.post("/emails", json=email(), headers={"Idempotency-Key": "k"})
    await resend.settled()
    assert len(receiver.events) == 2


async def test_thousands_of_events_arrive(resend: FakeResend, http: httpx.AsyncClient, receiver: Receiver) -> None:
    for _ in range(5):
        await http.post("/emails/batch", json=[email(tags=TAGS)] * 100)
    await resend.settled()
    assert Counter(receiver.types) == {"sent": 500, "delivered": 500}
