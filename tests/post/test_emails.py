"""Messages over HTTP: queued, sent, looked at, taken back, sent again."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.post.support import SENDER, WELCOME, posting, queue, status_of
from tests.support import Device, Service, admin, assert_problem

BODY: dict[str, Any] = {"template": "welcome", "to": "ada@acme.com", "variables": WELCOME}
PDF = base64.b64encode(b"%PDF-1.7\n...").decode()


async def test_the_story(database_url: str) -> None:
    """A message goes out by Resend, is delivered, and its log says so."""
    async with posting(database_url) as (service, resend):
        boss = await admin(service)
        queued = await boss.post("/v1/emails", BODY)
        assert queued.status_code == 202, queued.text
        email = queued.json()
        assert (email["status"], email["version"], email["locale"], email["subject"]) == ("queued", 0, "en", None)
        assert email["queued_by"] == f"person:{boss.user_id}"

        row = await status_of(service, email["id"], "delivered")
        shown = (await boss.get(f"/v1/emails/{email['id']}")).json()
        assert (shown["provider"], shown["provider_id"]) == ("resend", row["provider_id"])
        assert shown["attempts"] == 1
        assert "Ada" in shown["text"]
        assert shown["events"][0]["type"] == "queued"
        assert {event["type"] for event in shown["events"]} == {"queued", "accepted", "sent", "delivered"}
        page = await boss.get(f"/v1/emails/{email['id']}/html")
        assert page.text == shown["html"]
        assert page.headers["content-security-policy"].startswith("sandbox; default-src 'none'")

        [sent] = resend.books.tagged("gatepost_email_id", email["id"])
        assert (sent.payload["from"], sent.recipient, sent.subject) == (SENDER, "ada@acme.com", shown["subject"])
        listed = (await boss.get("/v1/emails?status=delivered&to=ADA@acme.com&template=welcome")).json()["items"]
        assert [item["id"] for item in listed] == [email["id"]]


async def test_the_same_key_is_the_same_message(service: Service) -> None:
    boss = await admin(service)
    key = {"Idempotency-Key": "order-1"}
    first = await boss.post("/v1/emails", BODY, headers=key)
    again = await boss.post("/v1/emails", BODY, headers=key)
    assert again.status_code == 202
    assert again.json()["id"] == first.json()["id"]
    other = await boss.post("/v1/emails", BODY | {"to": "bob@acme.com"}, headers=key)
    assert_problem(other, 409, "conflict")
    late = BODY | {"expires_at": "2001-01-01T00:00:00Z"}
    assert "expires_at" in assert_problem(await boss.post("/v1/emails", late), 422, "validation_failed")["detail"]
    stranger = await admin(service)
    assert (await stranger.post("/v1/emails", BODY, headers=key)).json()["id"] != first.json()["id"]
    assert await service.sql.fetchval("select count(*) from gatepost.emails where template = 'welcome'") == 2


async def test_the_same_key_at_the_same_moment_is_one_message(service: Service) -> None:
    boss = await admin(service)
    answers = await asyncio.gather(
        *(boss.post("/v1/emails", BODY, headers={"Idempotency-Key": "order-2"}) for _ in range(12))
    )
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_a_batch_is_queued_whole_or_not_at_all(service: Service) -> None:
    boss = await admin(service)
    bodies = [BODY | {"to": f"person{number}@acme.com"} for number in range(3)]
    key = {"Idempotency-Key": "news"}
    done = await boss.post("/v1/emails/batch", bodies, headers=key)
    assert done.status_code == 202, done.text
    assert [item["to"] for item in done.json()["items"]] == [body["to"] for body in bodies]
    again = (await boss.post("/v1/emails/batch", bodies, headers=key)).json()["items"]
    assert [item["id"] for item in again] == [item["id"] for item in done.json()["items"]]
    assert_problem(await boss.post("/v1/emails/batch", [BODY, *bodies[1:]], headers=key), 409, "conflict")

    broken = await boss.post("/v1/emails/batch", [*bodies, BODY | {"variables": {}}])
    problem = assert_problem(broken, 422, "validation_failed")
    assert ["body", 3, "variables", "login_url"] in [error["loc"] for error in problem["errors"]]
    assert await service.sql.fetchval("select count(*) from gatepost.emails where template = 'welcome'") == 3


@pytest.mark.parametrize(
    ("change", "loc"),
    [
        ({"template": "nothing-like-it"}, ["body", "template"]),
        ({"variables": {"name": "Ada", "login_url": "javascript:x"}}, ["body", "variables", "login_url"]),
        ({"variables": WELCOME | {"nmae": "Ada"}}, ["body", "variables", "nmae"]),
        ({"to": "nobody"}, ["body", "to"]),
        ({"to": "ädä@acme.com"}, ["body", "to"]),
        ({"to": ["ada@acme.com"]}, ["body", "to"]),
        ({"to": "ada@acme.com\r\nBcc: eve@acme.com"}, ["body", "to"]),
        ({"reply_to": "x"}, ["body", "reply_to"]),
        ({"locale": "english"}, ["body", "locale"]),
        ({"send_at": "2101-01-02T00:00:00Z", "expires_at": "2101-01-01T00:00:00Z"}, ["body"]),
        ({"send_at": 1}, ["body", "send_at"]),
        ({"subject": "x"}, ["body", "subject"]),
        ({"attachments": [{"filename": "run.exe", "content": ""}]}, ["body", "attachments", 0]),
        ({"attachments": [{"filename": "../a.pdf", "content": PDF}]}, ["body", "attachments", 0, "filename"]),
        ({"attachments": [{"filename": "a.png", "content": PDF}]}, ["body", "attachments", 0]),
        ({"attachments": [{"filename": "a.pdf", "content": "%"}]}, ["body", "attachments", 0]),
        ({"attachments": [{"filename": "a.txt", "content": "%"}]}, ["body", "attachments", 0]),
        (
            {"attachments": [{"filename": "a.pdf", "content": PDF, "content_type": "text/html"}]},
            ["body", "attachments", 0],
        ),
    ],
)
async def test_nonsense_is_refused_and_nothing_queued(service: Service, change: dict[str, Any], loc: list[Any]) -> None:
    boss = await admin(service)
    problem = assert_problem(await boss.post("/v1/emails", BODY | change), 422, "validation_failed")
    assert loc in [error["loc"] for error in problem["errors"]], problem
    assert await service.sql.fetchval("select count(*) from gatepost.emails where template <> 'verify-email'") == 0


@pytest.mark.parametrize("value", ["NaN", "1e999", "Infinity"])
async def test_numbers_that_are_none_are_refused(service: Service, value: str) -> None:
    boss = await admin(service)
    body = json.dumps(BODY | {"variables": {"name": "?"}}).replace('"?"', value)
    headers = {"Content-Type": "application/json"}
    for path, content in (("/v1/emails", body), ("/v1/emails/batch", f"[{body}]")):
        assert_problem(await boss.request("POST", path, content=content, headers=headers), 422, "validation_failed")


async def test_half_a_character_is_shown_as_one_that_is_broken(service: Service) -> None:
    boss = await admin(service)
    body = (
        '{"template": "welcome", "to": "ada@acme.com", "variables": {"name": "A\\ud800", "login_url": "https://a.com"}}'
    )
    sent = await boss.request("POST", "/v1/emails", content=body, headers={"Content-Type": "application/json"})
    assert sent.status_code == 202, sent.text
    assert "A\N{REPLACEMENT CHARACTER}" in (await boss_reads(boss, service, sent.json()["id"]))["text"]


async def boss_reads(boss: Device, service: Service, email_id: str) -> dict[str, Any]:
    await status_of(service, email_id, "sent")
    shown: dict[str, Any] = (await boss.get(f"/v1/emails/{email_id}")).json()
    return shown


async def test_an_internationalised_domain_is_written_as_machines_do(service: Service) -> None:
    boss = await admin(service)
    sent = await boss.post("/v1/emails", BODY | {"to": "ada@bücher.de"})
    assert sent.json()["to"] == "ada@xn--bcher-kva.de"


async def test_attachments_arrive_byte_for_byte_and_ten_megabytes_are_enough(database_url: str) -> None:
    content = b"%PDF-1.7\n" + bytes(range(256)) * 20_000
    files = [{"filename": "Rechnung März.pdf", "content": base64.b64encode(content).decode()}]
    async with posting(database_url, keep_bodies=True) as (service, resend):
        boss = await admin(service)
        sent = (await boss.post("/v1/emails", BODY | {"attachments": files, "reply_to": "billing@acme.com"})).json()
        await status_of(service, sent["id"], "sent", "delivered")
        [message] = resend.books.tagged("gatepost_email_id", sent["id"])
        assert message.endpoint == "/emails"
        assert message.payload["reply_to"] in ("billing@acme.com", ["billing@acme.com"])
        attached = message.payload["attachments"][0]
        assert (attached["filename"], attached["content_type"]) == ("Rechnung März.pdf", "application/pdf")
        assert base64.b64decode(attached["content"]) == content
        assert not message.dropped

        shown = (await boss.get(f"/v1/emails/{sent['id']}")).json()
        assert shown["attachments"] == [
            {"filename": "Rechnung März.pdf", "content_type": "application/pdf", "size": len(content)}
        ]
        large = [{"filename": "a.txt", "content": base64.b64encode(b"x" * 5_300_000).decode()}] * 2
        assert_problem(await boss.post("/v1/emails", BODY | {"attachments": large}), 422, "validation_failed")
        huge = [{"filename": "a.txt", "content": "A" * 17_000_000}]
        assert_problem(await boss.post("/v1/emails", BODY | {"attachments": huge}), 413, "payload_too_large")


async def test_what_is_scheduled_waits_and_can_be_taken_back(service: Service) -> None:
    boss = await admin(service)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    later = (await boss.post("/v1/emails", BODY | {"send_at": tomorrow})).json()
    assert later["status"] == "scheduled"
    now = (await boss.post("/v1/emails", BODY)).json()
    await status_of(service, now["id"], "sent")
    assert [item["id"] for item in (await boss.get("/v1/emails?status=scheduled")).json()["items"]] == [later["id"]]
    assert (await boss.get("/v1/emails?status=queued")).json()["items"] == []

    assert_problem(await boss.post(f"/v1/emails/{later['id']}/resend"), 409, "conflict")
    assert (await boss.post(f"/v1/emails/{later['id']}/cancel")).json()["status"] == "canceled"
    assert_problem(await boss.post(f"/v1/emails/{later['id']}/cancel"), 409, "conflict")
    assert_problem(await boss.post(f"/v1/emails/{now['id']}/cancel"), 409, "conflict")
    for act in ("cancel", "resend"):
        assert_problem(await boss.post(f"/v1/emails/{uuid4()}/{act}"), 404, "not_found")
    assert_problem(await boss.get(f"/v1/emails/{uuid4()}"), 404, "not_found")
    assert_problem(await boss.get(f"/v1/emails/{later['id']}/html"), 404, "not_found")

    again = (await boss.post(f"/v1/emails/{later['id']}/resend")).json()
    assert (again["resend_of"], again["status"]) == (later["id"], "queued")
    await status_of(service, again["id"], "sent")
    acts = (await boss.get("/v1/admin/audit?action=email.resent")).json()["items"]
    assert acts[0]["detail"] == {"as": again["id"]}


async def test_suppressed_addresses_are_not_written_to(service: Service) -> None:
    boss = await admin(service)
    path = "/v1/settings/email-suppressions"
    made = await boss.post(path, {"email": "Ada@acme.com", "reason": "asked us to"})
    assert made.status_code == 201, made.text
    assert (made.json()["email"], made.json()["reason"]) == ("ada@acme.com", "manual")
    assert_problem(await boss.post(path, {"email": "ada@acme.com", "reason": "x"}), 409, "conflict")
    assert_problem(await boss.post("/v1/emails", BODY), 409, "recipient_suppressed")
    kept = (await boss.post("/v1/emails/batch", [BODY, BODY | {"to": "bob@acme.com"}])).json()["items"]
    assert [item["status"] for item in kept] == ["suppressed", "queued"]
    assert "suppressions" in kept[0]["last_error"]

    assert [item["email"] for item in (await boss.get(f"{path}?email=ADA@acme.com")).json()["items"]] == [
        "ada@acme.com"
    ]
    for beginning, count in (("AD", 1), ("acme", 0), ("a_", 0), ("%25", 0), ("ada%00", 0)):
        assert len((await boss.get(f"{path}?q={beginning}")).json()["items"]) == count, beginning
    assert (await boss.delete(f"{path}/{made.json()['id']}")).status_code == 204
    assert_problem(await boss.delete(f"{path}/{made.json()['id']}"), 404, "not_found")
    assert (await boss.post("/v1/emails", BODY)).status_code == 202
    acts = (await boss.get("/v1/admin/audit?action=suppression.added")).json()["items"]
    assert acts[0]["reason"] == "asked us to"


async def test_security_mail_is_never_suppressed_silently(service: Service) -> None:
    await service.sql.execute(
        "insert into gatepost.email_suppressions (email, reason, created_by) values ('ada@acme.com', 'bounce', 'x')"
    )
    plain, security = await queue(service), await queue(service, template="reset-password")
    for email_id in (plain, security):
        row = await status_of(service, email_id, "suppressed")
        assert "bounced" in row["last_error"]
    told = await service.sql.fetch("select target from gatepost.audit_log where action = 'email.suppressed'")
    assert [row["target"] for row in told] == [f"email:{security}"]


async def test_who_may_do_what(service: Service) -> None:
    boss = await admin(service)
    nobody = await service.register()
    sender, reader = [
        (await boss.post("/v1/admin/api-keys", {"name": scope, "scopes": [scope]})).json()["secret"]
        for scope in ("emails:send", "emails:read")
    ]

    async def ask(method: str, path: str, key: str, body: Any = None) -> int:
        answer = await service.http.request(method, path, json=body, headers={"Authorization": f"Bearer {key}"})
        return answer.status_code

    assert await ask("POST", "/v1/emails", sender, BODY) == 202
    assert await ask("POST", "/v1/emails", reader, BODY) == 403
    assert await ask("GET", "/v1/emails", reader) == 200
    assert await ask("GET", "/v1/emails", sender) == 403
    assert await ask("POST", "/v1/emails", nobody.access_token, BODY) == 403
    assert await ask("GET", "/v1/settings/email-suppressions", nobody.access_token) == 403
    assert (await service.http.post("/v1/emails", json=BODY)).status_code == 401


async def test_a_test_of_a_template_is_a_message_like_any_other(service: Service) -> None:
    boss = await admin(service)
    path = "/v1/settings/email-templates/welcome"
    words = {"subject": "Draft for {{ name }}", "html": "<p>{{ name }} {{ login_url }}</p>"}
    assert (await boss.request("PUT", f"{path}/draft", json=words)).status_code == 200
    sent = await boss.post(f"{path}/test", {"variables": {"name": "Bob"}})
    assert sent.status_code == 202, sent.text
    row = await status_of(service, sent.json()["email_id"], "sent")
    shown = (await boss.get(f"/v1/emails/{row['id']}")).json()
    assert (shown["to"], shown["subject"], shown["version"]) == (boss.email, "Draft for Bob", None)
    assert_problem(await boss.post(f"/v1/emails/{row['id']}/resend"), 409, "conflict")

    builtin = await boss.post(f"{path}/test", {"version": 0, "to": "eve@acme.com"})
    shown = (await boss.get(f"/v1/emails/{builtin.json()['email_id']}")).json()
    assert (shown["to"], shown["version"]) == ("eve@acme.com", 0)
    assert_problem(await boss.post(f"{path}/test", {"version": 7}), 404, "not_found")
    assert_problem(await boss.post(f"{path}/test", {"variables": {"x": 1}}), 422, "validation_failed")
    key = (await boss.post("/v1/admin/api-keys", {"name": "x", "scopes": ["templates:write"]})).json()["secret"]
    answer = await service.http.post(f"{path}/test", json={}, headers={"Authorization": f"Bearer {key}"})
    assert_problem(answer, 422, "validation_failed")
