"""The fake Resend follows Resend's rules."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.support.fake_resend import FakeResend
from tests.support.fake_resend.requests import assert_api_error, make_email, resend_client

FORMAT_HINT = "The email address needs to follow the `email@example.com` or `Name <email@example.com>` format."


def attachment(filename: str, content_type: str | None = None, size: int = 3) -> dict[str, str]:
    content = base64.b64encode(b"x" * size).decode()
    return {"filename": filename, "content": content} | ({"content_type": content_type} if content_type else {})


async def test_an_accepted_message_is_recorded(resend: FakeResend, http: httpx.AsyncClient) -> None:
    tags = [{"name": "gatepost_email_id", "value": "42"}]
    sent = make_email(to="Ada <ada@example.com>", tags=tags, reply_to="x@example.com")
    response = await http.post("/emails", json=sent, headers={"Idempotency-Key": "k"})
    assert response.status_code == 200
    (message,) = resend.messages
    assert response.json() == {"id": message.id}
    assert (message.key, message.endpoint, message.recipient) == ("k", "/emails", "ada@example.com")
    assert (message.subject, message.tags) == ("Hello", {"gatepost_email_id": "42"})
    assert resend.messages.tagged("gatepost_email_id", "42") == [message]
    assert "html" not in message.payload
    assert (resend.requests[0].key, resend.requests[0].status, resend.requests[0].body) == ("k", 200, b"")

    shown = (await http.get(f"/emails/{message.id}")).json()
    assert (shown["last_event"], shown["to"]) == ("delivered", ["Ada <ada@example.com>"])
    assert datetime.fromisoformat(shown["created_at"]) == message.at
    assert_api_error(await http.get("/emails/another"), 404, "not_found")


async def test_bodies_are_kept_on_request(resend: FakeResend, http: httpx.AsyncClient) -> None:
    resend.keep_bodies = True
    sent = make_email(attachments=[attachment("a.pdf")])
    await http.post("/emails", json=sent)
    assert resend.messages[0].payload == resend.requests[0].json() == sent


async def test_authentication_and_permissions(resend: FakeResend, http: httpx.AsyncClient) -> None:
    response = await http.post("/emails", json=make_email(), headers={"User-Agent": "", "Authorization": ""})
    assert (response.status_code, response.text) == (403, "error code: 1010")
    for header in ("", "Basic abc", "Bearer"):
        response = await http.post("/emails", json=make_email(), headers={"Authorization": header})
        assert_api_error(response, 401, "missing_api_key")
    response = await http.post("/emails", json=make_email(), headers={"Authorization": "Bearer re_other"})
    assert_api_error(response, 403, "invalid_api_key")
    resend.key_state = "suspended"
    assert_api_error(await http.post("/emails", json=make_email()), 403, "suspended_api_key")
    resend.key_state = "sending"
    sent = await http.post("/emails", json=make_email())
    assert sent.status_code == 200
    assert_api_error(await http.get(f"/emails/{sent.json()['id']}"), 401, "restricted_api_key")
    resend.key_state = "full"
    assert_api_error(await http.get("/emails/batch"), 405, "method_not_allowed")
    assert_api_error(await http.get("/nothing"), 404, "not_found")
    assert len(resend.messages) == 1


@pytest.mark.parametrize(
    ("invalid", "name", "part"),
    [
        ({"from": None}, "missing_required_field", "`from`"),
        ({"to": None}, "missing_required_field", "`to`"),
        ({"subject": None}, "missing_required_field", "`subject`"),
        ({"html": None}, "validation_error", "Missing `html` or `text`"),
        ({"html": 3}, "validation_error", "`html`"),
        ({"from": "Acme no-reply@acme.com"}, "validation_error", f"Invalid `from` field. {FORMAT_HINT}"),
        ({"to": []}, "validation_error", "`to`"),
        ({"to": "ada"}, "validation_error", f"Invalid `to` field. {FORMAT_HINT}"),
        ({"to": ["ada@example.com", "b@"]}, "validation_error", "`to`"),
        ({"to": "adä@example.com"}, "validation_error", "`to`"),
        ({"to": "a..b@example.com"}, "validation_error", "`to`"),
        ({"to": [f"a{n}@example.com" for n in range(51)]}, "validation_error", "50"),
        ({"reply_to": "nobody"}, "validation_error", "`reply_to`"),
        ({"tags": {"a": "b"}}, "validation_error", "`tags`"),
        ({"tags": [{"name": "a"}]}, "validation_error", "tag"),
        ({"tags": [{"name": "a b", "value": "c"}]}, "validation_error", "ASCII letters"),
        ({"tags": [{"name": "a", "value": "ü"}]}, "validation_error", "ASCII letters"),
        ({"tags": [{"name": "a", "value": "c" * 257}]}, "validation_error", "ASCII letters"),
        ({"attachments": [{"filename": "a.pdf"}]}, "invalid_attachment", "`content` or `path`"),
        ({"attachments": [{"content": "YQ=="}]}, "invalid_attachment", "`filename`"),
        ({"attachments": [{"filename": "a.pdf", "content": "not base64!"}]}, "invalid_attachment", "Base64"),
    ],
)
async def test_invalid_requests(
    resend: FakeResend, http: httpx.AsyncClient, invalid: dict[str, Any], name: str, part: str
) -> None:
    assert_api_error(await http.post("/emails", json=make_email(**invalid)), 422, name, part)
    assert_api_error(
        await http.post("/emails/batch", json=[make_email(), make_email(**invalid)]), 422, *batch_error(name, part)
    )
    assert not resend.messages


def batch_error(name: str, part: str) -> tuple[str, str]:
    return ("validation_error", "batch") if name == "invalid_attachment" else (name, part)


async def test_a_body_that_is_not_json_is_rejected(http: httpx.AsyncClient) -> None:
    assert_api_error(await http.post("/emails", content=b"{"), 400, "validation_error")
    assert_api_error(await http.post("/emails", json=[make_email()]), 422, "validation_error")


async def test_valid_requests(http: httpx.AsyncClient) -> None:
    tag = {"name": "a" * 256, "value": "Aa0_-"}
    for valid in (
        {"to": [f"a{n}@example.com" for n in range(50)]},
        {"from": "no-reply@ACME.com", "tags": [tag], "html": None, "text": "Hi"},
        {"to": "Ada <ada+x'y@sub.bücher.example>", "cc": "b@example.com", "reply_to": ["c@example.com"]},
    ):
        assert (await http.post("/emails", json=make_email(**valid))).status_code == 200


async def test_only_verified_domains_can_send(resend: FakeResend, http: httpx.AsyncClient) -> None:
    other = make_email(**{"from": "a@other.com"})
    part = "The other.com domain is not verified. Please, add and verify your domain"
    assert_api_error(await http.post("/emails", json=other), 403, "validation_error", part)
    resend.rules.domains.add("other.com")
    assert (await http.post("/emails", json=other)).status_code == 200

    onboarding = make_email(**{"from": "onboarding@resend.dev"})
    part = "You can only send testing emails to your own email address (owner@acme.com)."
    assert_api_error(await http.post("/emails", json=onboarding), 403, "validation_error", part)
    for to in ("owner@acme.com", "bounced+label@resend.dev"):
        assert (await http.post("/emails", json=onboarding | {"to": to})).status_code == 200

    resend.rules.blocked.add("example.com")
    assert_api_error(await http.post("/emails", json=make_email()), 422, "validation_error", "testing email address")


async def test_an_attachment_whose_type_does_not_match_its_name_is_dropped_silently(
    resend: FakeResend, http: httpx.AsyncClient
) -> None:
    files = [
        attachment("a.pdf", "application/pdf"),
        attachment("b.pdf", "image/png"),
        attachment("C.TXT", "text/plain; charset=utf-8"),
        attachment("d.unheard", "image/png"),
        attachment("e.png"),
    ]
    assert (await http.post("/emails", json=make_email(attachments=files))).status_code == 200
    (message,) = resend.messages
    assert (message.attachments, message.dropped) == (("a.pdf", "C.TXT", "d.unheard", "e.png"), ("b.pdf",))
    assert [one["filename"] for one in message.payload["attachments"]] == [*message.attachments]


async def test_attachments_are_limited_to_forty_megabytes_after_base64(http: httpx.AsyncClient) -> None:
    most = 30 * 1024 * 1024
    assert (
        await http.post("/emails", json=make_email(attachments=[attachment("a.pdf", size=most)]))
    ).status_code == 200
    response = await http.post(
        "/emails", json=make_email(attachments=[attachment("a.pdf", size=most), attachment("b.pdf")])
    )
    assert_api_error(response, 422, "invalid_attachment", "40 MB")


async def test_a_batch_is_accepted_as_a_whole_or_not_at_all(resend: FakeResend, http: httpx.AsyncClient) -> None:
    emails = [make_email(to=f"a{number}@example.com") for number in range(100)]
    response = await http.post("/emails/batch", json=emails)
    assert [one["id"] for one in response.json()["data"]] == [message.id for message in resend.messages]
    assert [message.recipient for message in resend.messages] == [one["to"] for one in emails]
    assert "errors" not in response.json()
    for invalid in ([], [*emails, make_email()], make_email()):
        assert_api_error(await http.post("/emails/batch", json=invalid), 422, "validation_error")
    response = await http.post("/emails/batch", json=[*emails[:99], make_email(**{"from": "a@other.com"})])
    assert_api_error(response, 403, "validation_error")
    response = await http.post("/emails/batch", json=[make_email(scheduled_at="in an hour")])
    assert_api_error(response, 422, "validation_error", "`scheduled_at`")
    assert len(resend.messages) == 100


async def test_a_permissive_batch_accepts_the_valid_emails(resend: FakeResend, http: httpx.AsyncClient) -> None:
    permissive = {"x-batch-validation": "permissive"}
    emails = [make_email(to="a"), make_email(), make_email(subject=None), make_email(attachments=[attachment("a.pdf")])]
    response = await http.post("/emails/batch", json=emails, headers=permissive)
    assert response.status_code == 200
    assert response.json()["data"] == [{"id": resend.messages[0].id}]
    assert [error["index"] for error in response.json()["errors"]] == [0, 2, 3]
    assert response.json()["errors"][0]["message"] == f"Invalid `to` field. {FORMAT_HINT}"
    assert (await http.post("/emails/batch", json=[make_email()], headers=permissive)).json()["errors"] == []


async def test_five_requests_a_second() -> None:
    async with FakeResend() as resend, resend_client(resend) as http:
        responses = [await http.post("/emails", json=make_email()) for _ in range(6)]
        assert [response.status_code for response in responses] == [200] * 5 + [429]
        assert [response.headers["ratelimit-remaining"] for response in responses] == ["4", "3", "2", "1", "0", "0"]
        assert {
            (response.headers["ratelimit-limit"], response.headers["ratelimit-reset"]) for response in responses
        } == {("5", "1")}
        assert_api_error(responses[-1], 429, "rate_limit_exceeded")
        assert responses[-1].headers["retry-after"] == "1"
        assert "retry-after" not in responses[0].headers
        await asyncio.sleep(int(responses[-1].headers["retry-after"]))
        assert (await http.post("/emails", json=make_email())).status_code == 200
        resend.rate_limit.rate = 100
        assert (await http.post("/emails", json=make_email())).headers["ratelimit-limit"] == "100"


async def test_quotas_count_every_recipient() -> None:
    today = datetime(2026, 3, 30, 12, tzinfo=UTC)
    async with FakeResend(rate=None, daily=4, monthly=6, clock=lambda: today) as resend, resend_client(resend) as http:
        three_recipients = make_email(to=["a@example.com", "b@example.com"], bcc="c@example.com")
        response = await http.post("/emails", json=three_recipients)
        assert (response.status_code, response.headers["x-resend-daily-quota"]) == (200, "3")
        assert_api_error(
            await http.post("/emails/batch", json=[make_email(), make_email()]), 429, "daily_quota_exceeded"
        )
        assert (await http.post("/emails", json=make_email())).status_code == 200
        today += timedelta(days=1)
        assert_api_error(await http.post("/emails", json=three_recipients), 429, "monthly_quota_exceeded")
        today += timedelta(days=1)
        response = await http.post("/emails", json=three_recipients)
        assert (response.status_code, response.headers["x-resend-monthly-quota"]) == (200, "3")
        assert response.headers["date"] == "Wed, 01 Apr 2026 12:00:00 GMT"


async def test_a_repeated_key_returns_the_first_response_for_a_day(resend: FakeResend, http: httpx.AsyncClient) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    resend.clock = lambda: now
    key = {"Idempotency-Key": "k" * 256}
    for path, sent in (("/emails", make_email()), ("/emails/batch", [make_email(), make_email()])):
        key = {"Idempotency-Key": path}
        resend.messages.clear()
        first = await http.post(path, json=sent, headers=key)
        now += timedelta(hours=23, minutes=59)
        again = await http.post(path, json=sent, headers=key)
        assert (again.status_code, again.content) == (200, first.content)
        other = json.dumps(sent).replace("Hello", "Bye")
        assert_api_error(await http.post(path, content=other, headers=key), 409, "invalid_idempotent_request")
        assert len(resend.messages) == len(sent if isinstance(sent, list) else [sent])
        now += timedelta(minutes=1)
        assert (await http.post(path, content=other, headers=key)).json() != first.json()


async def test_keys_have_1_to_256_characters_and_failures_are_not_remembered(
    resend: FakeResend, http: httpx.AsyncClient
) -> None:
    for key in ("", "k" * 257):
        response = await http.post("/emails", json=make_email(), headers={"Idempotency-Key": key})
        assert_api_error(response, 400, "invalid_idempotency_key")
    headers = {"Idempotency-Key": "k" * 256}
    assert (await http.post("/emails", json=make_email(to="a"), headers=headers)).status_code == 422
    assert (await http.post("/emails", json=make_email(), headers=headers)).status_code == 200
    assert len(resend.messages) == 1


async def test_a_key_in_use_is_a_conflict(resend: FakeResend, http: httpx.AsyncClient) -> None:
    resend.fail_next("slow:0.2", "none")
    headers = {"Idempotency-Key": "k"}
    responses = await asyncio.gather(*(http.post("/emails", json=make_email(), headers=headers) for _ in range(2)))
    late, early = sorted(responses, key=lambda response: response.status_code)
    assert_api_error(early, 409, "concurrent_idempotent_requests")
    again = await http.post("/emails", json=make_email(), headers=headers)
    assert again.json() == late.json() == {"id": resend.messages[0].id}
    assert len(resend.messages) == 1


async def test_the_order_of_the_checks() -> None:
    """A replay counts towards the rate limit, not the quota; an invalid request does not count towards the quota."""
    async with FakeResend(rate=3, daily=1) as resend, resend_client(resend) as http:
        for _ in range(4):
            response = await http.post("/emails", json=make_email(), headers={"Authorization": "Bearer re_other"})
            assert_api_error(response, 403, "invalid_api_key")
        key = {"Idempotency-Key": "k"}
        assert (await http.post("/emails", json=make_email(to="a"))).status_code == 422
        assert (await http.post("/emails", json=make_email(), headers=key)).status_code == 200
        assert (await http.post("/emails", json=make_email(), headers=key)).status_code == 200
        assert_api_error(await http.post("/emails", json=make_email(), headers=key), 429, "rate_limit_exceeded")
