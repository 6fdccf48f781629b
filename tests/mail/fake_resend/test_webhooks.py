"""Webhooks of the fake Resend, with all faults that those of the real one may have."""

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

from tests.support.fake_resend import SECRET, FakeResend, Faults, Webhooks
from tests.support.fake_resend.http_server import HttpServer, Reply, Request
from tests.support.fake_resend.requests import make_email

TAGS = [{"name": "gatepost_email_id", "value": "42"}]


@dataclass
class Endpoint:
    """An endpoint that accepts what is correctly signed, after as many failures as planned."""

    url: str = ""
    failures: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    rejections: list[str] = field(default_factory=list)

    async def handle(self, request: Request) -> Reply:
        self.ids.append(request.headers["svix-id"])
        headers = {f"webhook-{name}": request.headers[f"svix-{name}"] for name in ("id", "timestamp", "signature")}
        try:
            Webhook(SECRET).verify(request.body, headers)
        except WebhookVerificationError as error:
            self.rejections.append(str(error))
            return Reply(401, b"")
        if self.failures:
            self.failures -= 1
            return Reply(503, b"")
        self.events.append(json.loads(request.body))
        return Reply(204, b"")

    @property
    def types(self) -> list[str]:
        return [event["type"].removeprefix("email.") for event in self.events]


@pytest.fixture
async def endpoint(resend: FakeResend) -> AsyncIterator[Endpoint]:
    """The endpoint that `resend` sends its webhooks to."""
    endpoint = Endpoint()
    server = HttpServer(endpoint.handle)
    endpoint.url = f"http://127.0.0.1:{await server.open()}"
    resend.webhooks = Webhooks(endpoint.url)
    yield endpoint
    await resend.wait_for_webhooks()
    await server.close()


async def test_events_have_the_members_of_resends_own(
    resend: FakeResend, http: httpx.AsyncClient, endpoint: Endpoint
) -> None:
    resend.clock = lambda: datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
    await http.post("/emails", json=make_email(tags=TAGS, headers={"X-A": "b"}))
    await resend.wait_for_webhooks()
    data = {
        "email_id": resend.messages[0].id,
        "created_at": "2026-03-01T12:00:00.250Z",
        "from": "Acme <no-reply@acme.com>",
        "to": ["ada@example.com"],
        "subject": "Hello",
        "tags": {"gatepost_email_id": "42"},
        "headers": [{"name": "X-A", "value": "b"}],
    }
    assert endpoint.events == [
        {"type": "email.sent", "created_at": "2026-03-01T12:00:00.251Z", "data": data},
        {"type": "email.delivered", "created_at": "2026-03-01T12:00:00.252Z", "data": data},
    ]
    assert len({*endpoint.ids}) == 2


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
async def test_outcomes_by_address(
    resend: FakeResend, http: httpx.AsyncClient, endpoint: Endpoint, to: str, types: list[str]
) -> None:
    resend.suppressed.add("blocked@example.com")
    resend.outcomes["late@example.com"] = ("email.sent", "email.delivery_delayed", "email.delivered")
    resend.outcomes["failing@example.com"] = ("email.failed",)
    assert (await http.post("/emails", json=make_email(to=to))).status_code == 200
    await resend.wait_for_webhooks()
    assert endpoint.types == types
    assert resend.messages[0].last_event == types[-1]
    assert "tags" not in endpoint.events[0]["data"]
    data = endpoint.events[-1]["data"]
    if types[-1] == "bounced":
        assert (data["bounce"]["type"], data["bounce"]["subType"]) == ("Permanent", "General")
        assert data["bounce"]["diagnosticCode"] == ["smtp; 550 5.1.1 user unknown"]
    if types[-1] == "suppressed":
        assert data["suppressed"]["reason"] == "previous_bounce"
    if types[-1] == "failed":
        assert data["failed"] == {"reason": "reached_daily_quota"}


async def test_an_address_that_bounced_or_complained_is_suppressed(
    resend: FakeResend, http: httpx.AsyncClient, endpoint: Endpoint
) -> None:
    resend.outcomes = {
        "gone@example.com": ("email.sent", "email.bounced"),
        "cross@example.com": ("email.sent", "email.delivered", "email.complained"),
    }
    for to in ("gone@example.com", "Gone@example.com", "cross@example.com", "cross@example.com"):
        await http.post("/emails", json=make_email(to=to))
        await resend.wait_for_webhooks()
    reasons = [event["data"]["suppressed"]["reason"] for event in endpoint.events if "suppressed" in event["data"]]
    assert reasons == ["previous_bounce", "previous_complaint"]


async def test_events_sent_by_hand(resend: FakeResend, http: httpx.AsyncClient, endpoint: Endpoint) -> None:
    await http.post("/emails", json=make_email(tags=TAGS))
    (message,) = resend.messages
    bounce = {"type": "Transient", "subType": "MailboxFull", "message": "Full.", "diagnosticCode": []}
    resend.send_events(message, "email.bounced", bounce=bounce, at=message.at + timedelta(days=21))
    await resend.wait_for_webhooks()
    (event,) = [event for event in endpoint.events if event["type"] == "email.bounced"]
    assert (event["data"]["email_id"], event["data"]["bounce"]) == (message.id, bounce)
    assert datetime.fromisoformat(event["created_at"]) - message.at > timedelta(days=20)
    assert not resend.suppressed
    resend.send_events(message, "email.complained")
    assert (resend.suppressed, message.last_event) == ({"ada@example.com"}, "complained")


async def test_retries_keep_the_id_until_accepted(
    resend: FakeResend, http: httpx.AsyncClient, endpoint: Endpoint
) -> None:
    resend.webhooks = webhooks = Webhooks(endpoint.url, retries=(0.01, 0.01), types=frozenset({"email.sent"}))
    endpoint.failures = 2
    await http.post("/emails", json=make_email())
    await resend.wait_for_webhooks()
    assert (endpoint.types, len({*endpoint.ids})) == (["sent"], 1)
    assert [(attempt.number, attempt.status) for attempt in webhooks.attempts] == [(0, 503), (1, 503), (2, 204)]

    endpoint.failures = 3
    await http.post("/emails", json=make_email())
    await resend.wait_for_webhooks()
    assert webhooks.given_up == [endpoint.ids[-1]]


async def test_an_unreachable_endpoint(resend: FakeResend, http: httpx.AsyncClient) -> None:
    resend.webhooks = webhooks = Webhooks("http://127.0.0.1:1", retries=(0.01,))
    await http.post("/emails", json=make_email())
    await resend.wait_for_webhooks()
    assert (len(webhooks.given_up), {attempt.status for attempt in webhooks.attempts}) == (2, {None})


@pytest.mark.parametrize(
    ("kind", "rejection"), [("forged", "No matching signature found"), ("stale", "Message timestamp too old")]
)
async def test_forged_and_stale_events_are_repeated_correctly(
    resend: FakeResend, http: httpx.AsyncClient, endpoint: Endpoint, kind: str, rejection: str
) -> None:
    resend.webhooks = Webhooks(endpoint.url, faults=Faults(1, {kind: 1}))
    await http.post("/emails", json=make_email())
    await resend.wait_for_webhooks()
    assert endpoint.rejections == [rejection] * 2
    assert sorted(endpoint.types) == ["delivered", "sent"]


async def test_duplicated_shuffled_and_untagged_events(
    resend: FakeResend, http: httpx.AsyncClient, endpoint: Endpoint
) -> None:
    resend.webhooks = Webhooks(endpoint.url, faults=Faults(1, {"duplicated": 1, "shuffled": 1, "untagged": 1}))
    await http.post("/emails", json=make_email(tags=TAGS))
    await resend.wait_for_webhooks()
    assert endpoint.types == ["delivered"] * 2 + ["sent"] * 2
    assert {*Counter(endpoint.ids).values()} == {2}
    assert endpoint.events[0]["created_at"] > endpoint.events[-1]["created_at"]
    assert not [event for event in endpoint.events if "tags" in event["data"]]


async def test_early_events_come_before_the_response(
    resend: FakeResend, http: httpx.AsyncClient, endpoint: Endpoint
) -> None:
    resend.webhooks = Webhooks(endpoint.url, faults=Faults(1, {"early": 1}), delay=0.05)
    response = await http.post("/emails/batch", json=[make_email(to=f"a{number}@example.com") for number in range(5)])
    assert endpoint.types == ["sent"] * 5
    assert {event["data"]["email_id"] for event in endpoint.events} == {one["id"] for one in response.json()["data"]}


async def test_a_message_accepted_without_a_response_has_events(
    resend: FakeResend, http: httpx.AsyncClient, endpoint: Endpoint
) -> None:
    resend.fail_next("drop-after")
    with pytest.raises(httpx.RemoteProtocolError):
        await http.post("/emails", json=make_email(), headers={"Idempotency-Key": "k"})
    await resend.wait_for_webhooks()
    assert endpoint.types == ["sent", "delivered"]
    await http.post("/emails", json=make_email(), headers={"Idempotency-Key": "k"})
    await resend.wait_for_webhooks()
    assert len(endpoint.events) == 2


async def test_a_thousand_events_are_delivered(resend: FakeResend, http: httpx.AsyncClient, endpoint: Endpoint) -> None:
    for _ in range(5):
        await http.post("/emails/batch", json=[make_email(tags=TAGS)] * 100)
    await resend.wait_for_webhooks()
    assert Counter(endpoint.types) == {"sent": 500, "delivered": 500}
