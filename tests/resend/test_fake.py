"""The fake Resend keeps Resend's rules."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.resend import FakeResend
from tests.resend.conftest import client_of

FORM = "The email address needs to follow the `email@example.com` or `Name <email@example.com>` format."


def email(**other: Any) -> dict[str, Any]:
    members = {"from": "Acme <no-reply@acme.com>", "to": ["ada@example.com"], "subject": "Hello", "html": "<p>Hi</p>"}
    return {name: value for name, value in (members | other).items() if value is not None}


def attachment(filename: str, content_type: str | None = None, size: int = 3) -> dict[str, str]:
    content = base64.b64encode(b"x" * size).decode()
    return {"filename": filename, "content": content} | ({"content_type": content_type} if content_type else {})


def assert_refused(answer: httpx.Response, status: int, name: str, part: str = "") -> None:
    assert (answer.status_code, answer.json()["statusCode"], answer.json()["name"]) == (status, status, name)
    assert set(answer.json()) == {"statusCode", "name", "message"}
    assert part in answer.json()["message"]


async def test_what_is_accepted_stands_in_the_books(resend: FakeResend, http: httpx.AsyncClient) -> None:
    tags = [{"name": "gatepost_email_id", "value": "42"}]
    sent = email(to="Ada <ada@example.com>", tags=tags, reply_to="x@example.com")
    answer = await http.post("/emails", json=sent, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 200
    (message,) = resend.books
    assert answer.json() == {"id": message.id}
    assert (message.key, message.endpoint, message.recipient) == ("k", "/emails", "ada@example.com")
    assert (message.subject, message.tags) == ("Hello", {"gatepost_email_id": "42"})
    assert resend.books.tagged("gatepost_email_id", "42") == [message]
    assert "html" not in message.payload
    assert (resend.requests[0].key, resend.requests[0].status, resend.requests[0].body) == ("k", 200, b"")

    shown = (await http.get(f"/emails/{message.id}")).json()
    assert (shown["last_event"], shown["to"]) == ("delivered", ["Ada <ada@example.com>"])
    assert datetime.fromisoformat(shown["created_at"]) == message.at
    assert_refused(await http.get("/emails/another"), 404, "not_found")


async def test_bodies_are_kept_when_asked_for(resend: FakeResend, http: httpx.AsyncClient) -> None:
    resend.keep_bodies = True
    sent = email(attachments=[attachment("a.pdf")])
    await http.post("/emails", json=sent)
    assert resend.books[0].payload == resend.requests[0].json() == sent


async def test_who_may_ask(resend: FakeResend, http: httpx.AsyncClient) -> None:
    answer = await http.post("/emails", json=email(), headers={"User-Agent": "", "Authorization": ""})
    assert (answer.status_code, answer.text) == (403, "error code: 1010")
    for header in ("", "Basic abc", "Bearer"):
        answer = await http.post("/emails", json=email(), headers={"Authorization": header})
        assert_refused(answer, 401, "missing_api_key")
    answer = await http.post("/emails", json=email(), headers={"Authorization": "Bearer re_other"})
    assert_refused(answer, 403, "invalid_api_key")
    resend.key_state = "suspended"
    assert_refused(await http.post("/emails", json=email()), 403, "suspended_api_key")
    resend.key_state = "sending"
    sent = await http.post("/emails", json=email())
    assert sent.status_code == 200
    assert_refused(await http.get(f"/emails/{sent.json()['id']}"), 401, "restricted_api_key")
    resend.key_state = "full"
    assert_refused(await http.get("/emails/batch"), 405, "method_not_allowed")
    assert_refused(await http.get("/nothing"), 404, "not_found")
    assert len(resend.books) == 1


@pytest.mark.parametrize(
    ("wrong", "name", "part"),
    [
        ({"from": None}, "missing_required_field", "`from`"),
        ({"to": None}, "missing_required_field", "`to`"),
        ({"subject": None}, "missing_required_field", "`subject`"),
        ({"html": None}, "validation_error", "Missing `html` or `text`"),
        ({"html": 3}, "validation_error", "`html`"),
        ({"from": "Acme no-reply@acme.com"}, "validation_error", f"Invalid `from` field. {FORM}"),
        ({"to": []}, "validation_error", "`to`"),
        ({"to": "ada"}, "validation_error", f"Invalid `to` field. {FORM}"),
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
async def test_what_is_refused(
    resend: FakeResend, http: httpx.AsyncClient, wrong: dict[str, Any], name: str, part: str
) -> None:
    assert_refused(await http.post("/emails", json=email(**wrong)), 422, name, part)
    assert_refused(await http.post("/emails/batch", json=[email(), email(**wrong)]), 422, *_in_a_batch(name, part))
    assert not resend.books


def _in_a_batch(name: str, part: str) -> tuple[str, str]:
    return ("validation_error", "batch") if name == "invalid_attachment" else (name, part)


async def test_what_is_not_json_is_refused(http: httpx.AsyncClient) -> None:
    assert_refused(await http.post("/emails", content=b"{"), 400, "validation_error")
    assert_refused(await http.post("/emails", json=[email()]), 422, "validation_error")


async def test_forms_that_are_right(http: httpx.AsyncClient) -> None:
    tag = {"name": "a" * 256, "value": "Aa0_-"}
    for right in (
        {"to": [f"a{n}@example.com" for n in range(50)]},
        {"from": "no-reply@ACME.com", "tags": [tag], "html": None, "text": "Hi"},
        {"to": "Ada <ada+x'y@sub.bücher.example>", "cc": "b@example.com", "reply_to": ["c@example.com"]},
    ):
        assert (await http.post("/emails", json=email(**right))).status_code == 200


async def test_only_verified_domains_send(resend: FakeResend, http: httpx.AsyncClient) -> None:
    other = email(**{"from": "a@other.com"})
    part = "The other.com domain is not verified. Please, add and verify your domain"
    assert_refused(await http.post("/emails", json=other), 403, "validation_error", part)
    resend.rules.domains.add("other.com")
    assert (await http.post("/emails", json=other)).status_code == 200

    onboarding = email(**{"from": "onboarding@resend.dev"})
    part = "You can only send testing emails to your own email address (owner@acme.com)."
    assert_refused(await http.post("/emails", json=onboarding), 403, "validation_error", part)
    for to in ("owner@acme.com", "bounced+label@resend.dev"):
        assert (await http.post("/emails", json=onboarding | {"to": to})).status_code == 200

    resend.rules.blocked.add("example.com")
    assert_refused(await http.post("/emails", json=email()), 422, "validation_error", "testing email address")


async def test_an_attachment_that_disagrees_with_itself_is_dropped_silently(
    resend: FakeResend, http: httpx.AsyncClient
) -> None:
    files = [
        attachment("a.pdf", "application/pdf"),
        attachment("b.pdf", "image/png"),
        attachment("C.TXT", "text/plain; charset=utf-8"),
        attachment("d.unheard", "image/png"),
        attachment("e.png"),
    ]
    assert (await http.post("/emails", json=email(attachments=files))).status_code == 200
    (message,) = resend.books
    assert (message.attachments, message.dropped) == (("a.pdf", "C.TXT", "d.unheard", "e.png"), ("b.pdf",))
    assert [one["filename"] for one in message.payload["attachments"]] == [*message.attachments]


async def test_forty_megabytes_are_the_most_after_base64(http: httpx.AsyncClient) -> None:
    most = 30 * 1024 * 1024
    assert (await http.post("/emails", json=email(attachments=[attachment("a.pdf", size=most)]))).status_code == 200
    answer = await http.post("/emails", json=email(attachments=[attachment("a.pdf", size=most), attachment("b.pdf")]))
    assert_refused(answer, 422, "invalid_attachment", "40 MB")


async def test_a_batch_is_taken_whole_or_not(resend: FakeResend, http: httpx.AsyncClient) -> None:
    emails = [email(to=f"a{number}@example.com") for number in range(100)]
    answer = await http.post("/emails/batch", json=emails)
    assert [one["id"] for one in answer.json()["data"]] == [message.id for message in resend.books]
    assert [message.recipient for message in resend.books] == [one["to"] for one in emails]
    assert "errors" not in answer.json()
    for wrong in ([], [*emails, email()], email()):
        assert_refused(await http.post("/emails/batch", json=wrong), 422, "validation_error")
    answer = await http.post("/emails/batch", json=[*emails[:99], email(**{"from": "a@other.com"})])
    assert_refused(answer, 403, "validation_error")
    answer = await http.post("/emails/batch", json=[email(scheduled_at="in an hour")])
    assert_refused(answer, 422, "validation_error", "`scheduled_at`")
    assert len(resend.books) == 100


async def test_a_permissive_batch_takes_what_is_right(resend: FakeResend, http: httpx.AsyncClient) -> None:
    permissive = {"x-batch-validation": "permissive"}
    emails = [email(to="a"), email(), email(subject=None), email(attachments=[attachment("a.pdf")])]
    answer = await http.post("/emails/batch", json=emails, headers=permissive)
    assert answer.status_code == 200
    assert answer.json()["data"] == [{"id": resend.books[0].id}]
    assert [error["index"] for error in answer.json()["errors"]] == [0, 2, 3]
    assert answer.json()["errors"][0]["message"] == f"Invalid `to` field. {FORM}"
    assert (await http.post("/emails/batch", json=[email()], headers=permissive)).json()["errors"] == []


async def test_five_requests_a_second() -> None:
    async with FakeResend() as resend, client_of(resend) as http:
        answers = [await http.post("/emails", json=email()) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["4", "3", "2", "1", "0", "0"]
        assert {(answer.headers["ratelimit-limit"], answer.headers["ratelimit-reset"]) for answer in answers} == {
            ("5", "1")
        }
        assert_refused(answers[-1], 429, "rate_limit_exceeded")
        assert answers[-1].headers["retry-after"] == "1"
        assert "retry-after" not in answers[0].headers
        await asyncio.sleep(int(answers[-1].headers["retry-after"]))
        assert (await http.post("/emails", json=email())).status_code == 200
        resend.pace.rate = 100
        assert (await http.post("/emails", json=email())).headers["ratelimit-limit"] == "100"


async def test_quotas_count_every_recipient() -> None:
    today = datetime(2026, 3, 30, 12, tzinfo=UTC)
    async with FakeResend(rate=None, daily=4, monthly=6, clock=lambda: today) as resend, client_of(resend) as http:
        three = email(to=["a@example.com", "b@example.com"], bcc="c@example.com")
        answer = await http.post("/emails", json=three)
        assert (answer.status_code, answer.headers["x-resend-daily-quota"]) == (200, "3")
        assert_refused(await http.post("/emails/batch", json=[email(), email()]), 429, "daily_quota_exceeded")
        assert (await http.post("/emails", json=email())).status_code == 200
        today += timedelta(days=1)
        assert_refused(await http.post("/emails", json=three), 429, "monthly_quota_exceeded")
        today += timedelta(days=1)
        answer = await http.post("/emails", json=three)
        assert (answer.status_code, answer.headers["x-resend-monthly-quota"]) == (200, "3")
        assert answer.headers["date"] == "Wed, 01 Apr 2026 12:00:00 GMT"


async def test_a_repeated_key_gives_the_first_answer_for_a_day(resend: FakeResend, http: httpx.AsyncClient) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    resend.clock = lambda: now
    key = {"Idempotency-Key": "k" * 256}
    for path, sent in (("/emails", email()), ("/emails/batch", [email(), email()])):
        key = {"Idempotency-Key": path}
        resend.books.clear()
        first = await http.post(path, json=sent, headers=key)
        now += timedelta(hours=23, minutes=59)
        again = await http.post(path, json=sent, headers=key)
        assert (again.status_code, again.content) == (200, first.content)
        other = json.dumps(sent).replace("Hello", "Bye")
        assert_refused(await http.post(path, content=other, headers=key), 409, "invalid_idempotent_request")
        assert len(resend.books) == len(sent if isinstance(sent, list) else [sent])
        now += timedelta(minutes=1)
        assert (await http.post(path, content=other, headers=key)).json() != first.json()


async def test_keys_have_1_to_256_characters_and_failures_are_forgotten(
    resend: FakeResend, http: httpx.AsyncClient
) -> None:
    for key in ("", "k" * 257):
        answer = await http.post("/emails", json=email(), headers={"Idempotency-Key": key})
        assert_refused(answer, 400, "invalid_idempotency_key")
    headers = {"Idempotency-Key": "k" * 256}
    assert (await http.post("/emails", json=email(to="a"), headers=headers)).status_code == 422
    assert (await http.post("/emails", json=email(), headers=headers)).status_code == 200
    assert len(resend.books) == 1


async def test_a_key_that_is_being_handled_conflicts(resend: FakeResend, http: httpx.AsyncClient) -> None:
    resend.next("slow:0.2", "none")
    headers = {"Idempotency-Key": "k"}
    answers = await asyncio.gather(*(http.post("/emails", json=email(), headers=headers) for _ in range(2)))
    late, early = sorted(answers, key=lambda answer: answer.status_code)
    assert_refused(early, 409, "concurrent_idempotent_requests")
    again = await http.post("/emails", json=email(), headers=headers)
    assert again.json() == late.json() == {"id": resend.books[0].id}
    assert len(resend.books) == 1


async def test_the_checks_have_an_order() -> None:
    """A replay is paid with the pace, not with the quota; what is wrong costs no quota."""
    async with FakeResend(rate=3, daily=1) as resend, client_of(resend) as http:
        for _ in range(4):
            answer = await http.post("/emails", json=email(), headers={"Authorization": "Bearer re_other"})
            assert_refused(answer, 403, "invalid_api_key")
        key = {"Idempotency-Key": "k"}
        assert (await http.post("/emails", json=email(to="a"))).status_code == 422
        assert (await http.post("/emails", json=email(), headers=key)).status_code == 200
        assert (await http.post("/emails", json=email(), headers=key)).status_code == 200
        assert_refused(await http.post("/emails", json=email(), headers=key), 429, "rate_limit_exceeded")
