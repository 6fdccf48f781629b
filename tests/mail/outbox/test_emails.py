"""Emails over HTTP: queued, sent, read, canceled, resent; and suppressions."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.support import Device, Service, assert_problem
from tests.support.mail import SENDER, WELCOME, queue_email, service_with_resend, wait_for_status

BODY: dict[str, Any] = {"template": "welcome", "to": "ada@acme.com", "variables": WELCOME}
PDF = base64.b64encode(b"%PDF-1.7\n...").decode()


async def test_an_email_is_queued_sent_and_delivered(database_url: str) -> None:
    async with service_with_resend(database_url) as (service, resend):
        admin = await service.register_admin()
        queued = await admin.post("/v1/emails", BODY)
        assert queued.status_code == 202, queued.text
        email = queued.json()
        assert (email["status"], email["version"], email["locale"], email["subject"]) == ("queued", 0, "en", None)
        assert email["queued_by"] == f"user:{admin.user_id}"

        row = await wait_for_status(service, email["id"], "delivered")
        shown = (await admin.get(f"/v1/emails/{email['id']}")).json()
        assert (shown["provider"], shown["provider_id"]) == ("resend", row["provider_id"])
        assert shown["attempts"] == 1
        assert "Ada" in shown["text"]
        assert shown["events"][0]["type"] == "queued"
        assert {event["type"] for event in shown["events"]} == {"queued", "accepted", "sent", "delivered"}
        page = await admin.get(f"/v1/emails/{email['id']}/html")
        assert page.text == shown["html"]
        assert page.headers["content-security-policy"].startswith("sandbox; default-src 'none'")

        [sent] = resend.messages.tagged("gatepost_email_id", email["id"])
        assert (sent.payload["from"], sent.recipient, sent.subject) == (SENDER, "ada@acme.com", shown["subject"])
        listed = (await admin.get("/v1/emails?status=delivered&to=ADA@acme.com&template=welcome")).json()["items"]
        assert [item["id"] for item in listed] == [email["id"]]


async def test_an_idempotency_key_returns_the_same_email(service: Service) -> None:
    admin = await service.register_admin()
    key = {"Idempotency-Key": "order-1"}
    first = await admin.post("/v1/emails", BODY, headers=key)
    again = await admin.post("/v1/emails", BODY, headers=key)
    assert again.status_code == 202
    assert again.json()["id"] == first.json()["id"]
    other = await admin.post("/v1/emails", BODY | {"to": "bob@acme.com"}, headers=key)
    assert assert_problem(other, 409, "conflict")["detail"] == (
        "This idempotency key was already used for a different email. Use a new key."
    )
    expired = BODY | {"expires_at": "2001-01-01T00:00:00Z"}
    problem = assert_problem(await admin.post("/v1/emails", expired), 422, "validation_failed")
    assert problem["detail"] == "expires_at must be in the future and later than send_at."
    assert [error["loc"] for error in problem["errors"]] == [["body", "expires_at"]]
    batch = assert_problem(await admin.post("/v1/emails/batch", [BODY, expired]), 422, "validation_failed")
    assert [error["loc"] for error in batch["errors"]] == [["body", 1, "expires_at"]]
    other_admin = await service.register_admin()
    assert (await other_admin.post("/v1/emails", BODY, headers=key)).json()["id"] != first.json()["id"]
    assert await service.sql.fetchval("select count(*) from gatepost.emails where template = 'welcome'") == 2


async def test_concurrent_requests_with_one_idempotency_key_queue_one_email(service: Service) -> None:
    admin = await service.register_admin()
    responses = await asyncio.gather(
        *(admin.post("/v1/emails", BODY, headers={"Idempotency-Key": "order-2"}) for _ in range(12))
    )
    assert {response.status_code for response in responses} == {202}
    assert len({response.json()["id"] for response in responses}) == 1


async def test_a_batch_request_is_all_or_nothing(service: Service) -> None:
    admin = await service.register_admin()
    bodies = [BODY | {"to": f"user{number}@acme.com"} for number in range(3)]
    key = {"Idempotency-Key": "news"}
    done = await admin.post("/v1/emails/batch", bodies, headers=key)
    assert done.status_code == 202, done.text
    assert [item["to"] for item in done.json()["items"]] == [body["to"] for body in bodies]
    again = (await admin.post("/v1/emails/batch", bodies, headers=key)).json()["items"]
    assert [item["id"] for item in again] == [item["id"] for item in done.json()["items"]]
    assert_problem(await admin.post("/v1/emails/batch", [BODY, *bodies[1:]], headers=key), 409, "conflict")

    broken = await admin.post("/v1/emails/batch", [*bodies, BODY | {"variables": {}}])
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
async def test_an_invalid_request_queues_nothing(service: Service, change: dict[str, Any], loc: list[Any]) -> None:
    admin = await service.register_admin()
    problem = assert_problem(await admin.post("/v1/emails", BODY | change), 422, "validation_failed")
    assert loc in [error["loc"] for error in problem["errors"]], problem
    assert await service.sql.fetchval("select count(*) from gatepost.emails where template <> 'verify-email'") == 0


@pytest.mark.parametrize("value", ["NaN", "1e999", "Infinity"])
async def test_numbers_that_json_does_not_allow_are_rejected(service: Service, value: str) -> None:
    admin = await service.register_admin()
    body = json.dumps(BODY | {"variables": {"name": "?"}}).replace('"?"', value)
    headers = {"Content-Type": "application/json"}
    for path, content in (("/v1/emails", body), ("/v1/emails/batch", f"[{body}]")):
        assert_problem(await admin.request("POST", path, content=content, headers=headers), 422, "validation_failed")


async def read_email(admin: Device, service: Service, email_id: str) -> dict[str, Any]:
    await wait_for_status(service, email_id, "sent")
    shown: dict[str, Any] = (await admin.get(f"/v1/emails/{email_id}")).json()
    return shown


async def test_an_internationalised_domain_is_stored_as_punycode(service: Service) -> None:
    admin = await service.register_admin()
    sent = await admin.post("/v1/emails", BODY | {"to": "ada@bücher.de"})
    assert sent.json()["to"] == "ada@xn--bcher-kva.de"


async def test_attachments_are_sent_byte_for_byte_and_limited_to_ten_megabytes(database_url: str) -> None:
    content = b"%PDF-1.7\n" + bytes(range(256)) * 20_000
    files = [{"filename": "Rechnung März.pdf", "content": base64.b64encode(content).decode()}]
    async with service_with_resend(database_url, keep_bodies=True) as (service, resend):
        admin = await service.register_admin()
        sent = (await admin.post("/v1/emails", BODY | {"attachments": files, "reply_to": "billing@acme.com"})).json()
        await wait_for_status(service, sent["id"], "sent", "delivered")
        [message] = resend.messages.tagged("gatepost_email_id", sent["id"])
        assert message.endpoint == "/emails"
        assert message.payload["reply_to"] in ("billing@acme.com", ["billing@acme.com"])
        attached = message.payload["attachments"][0]
        assert (attached["filename"], attached["content_type"]) == ("Rechnung März.pdf", "application/pdf")
        assert base64.b64decode(attached["content"]) == content
        assert not message.dropped

        shown = (await admin.get(f"/v1/emails/{sent['id']}")).json()
        assert shown["attachments"] == [
            {"filename": "Rechnung März.pdf", "content_type": "application/pdf", "size": len(content)}
        ]
        large = [{"filename": "a.txt", "content": base64.b64encode(b"x" * 5_300_000).decode()}] * 2
        assert_problem(await admin.post("/v1/emails", BODY | {"attachments": large}), 422, "validation_failed")
        huge = [{"filename": "a.txt", "content": "A" * 17_000_000}]
        assert_problem(await admin.post("/v1/emails", BODY | {"attachments": huge}), 413, "payload_too_large")


async def test_a_scheduled_email_waits_and_can_be_canceled_and_resent(service: Service) -> None:
    admin = await service.register_admin()
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    scheduled = (await admin.post("/v1/emails", BODY | {"send_at": tomorrow})).json()
    assert scheduled["status"] == "scheduled"
    sent = (await admin.post("/v1/emails", BODY)).json()
    await wait_for_status(service, sent["id"], "sent")
    assert [item["id"] for item in (await admin.get("/v1/emails?status=scheduled")).json()["items"]] == [
        scheduled["id"]
    ]
    assert (await admin.get("/v1/emails?status=queued")).json()["items"] == []

    assert_problem(await admin.post(f"/v1/emails/{scheduled['id']}/resend"), 409, "conflict")
    assert (await admin.post(f"/v1/emails/{scheduled['id']}/cancel")).json()["status"] == "canceled"
    assert_problem(await admin.post(f"/v1/emails/{scheduled['id']}/cancel"), 409, "conflict")
    assert_problem(await admin.post(f"/v1/emails/{sent['id']}/cancel"), 409, "conflict")
    for action in ("cancel", "resend"):
        assert_problem(await admin.post(f"/v1/emails/{uuid4()}/{action}"), 404, "not_found")
    assert_problem(await admin.get(f"/v1/emails/{uuid4()}"), 404, "not_found")
    assert_problem(await admin.get(f"/v1/emails/{scheduled['id']}/html"), 404, "not_found")

    again = (await admin.post(f"/v1/emails/{scheduled['id']}/resend")).json()
    assert (again["resend_of"], again["status"]) == (scheduled["id"], "queued")
    await wait_for_status(service, again["id"], "sent")
    audited = (await admin.get("/v1/admin/audit?action=email.resent")).json()["items"]
    assert audited[0]["detail"] == {"as": again["id"]}


async def test_nothing_is_sent_to_suppressed_addresses(service: Service) -> None:
    admin = await service.register_admin()
    path = "/v1/settings/email-suppressions"
    created = await admin.post(path, {"email": "Ada@acme.com", "reason": "asked us to"})
    assert created.status_code == 201, created.text
    assert (created.json()["email"], created.json()["reason"]) == ("ada@acme.com", "manual")
    assert_problem(await admin.post(path, {"email": "ada@acme.com", "reason": "x"}), 409, "conflict")
    assert_problem(await admin.post("/v1/emails", BODY), 409, "recipient_suppressed")
    queued_emails = (await admin.post("/v1/emails/batch", [BODY, BODY | {"to": "bob@acme.com"}])).json()["items"]
    assert [item["status"] for item in queued_emails] == ["suppressed", "queued"]
    assert "suppressions" in queued_emails[0]["last_error"]

    assert [item["email"] for item in (await admin.get(f"{path}?email=ADA@acme.com")).json()["items"]] == [
        "ada@acme.com"
    ]
    for beginning, count in (("AD", 1), ("acme", 0), ("a_", 0), ("%25", 0), ("ada%00", 0)):
        assert len((await admin.get(f"{path}?q={beginning}")).json()["items"]) == count, beginning
    assert (await admin.delete(f"{path}/{created.json()['id']}")).status_code == 204
    assert_problem(await admin.delete(f"{path}/{created.json()['id']}"), 404, "not_found")
    assert (await admin.post("/v1/emails", BODY)).status_code == 202
    audited = (await admin.get("/v1/admin/audit?action=suppression.added")).json()["items"]
    assert audited[0]["reason"] == "asked us to"


async def test_suppressed_security_email_is_audited(service: Service) -> None:
    await service.sql.execute(
        "insert into gatepost.email_suppressions (email, reason, created_by) values ('ada@acme.com', 'bounce', 'x')"
    )
    plain, security = await queue_email(service), await queue_email(service, template="reset-password")
    for email_id in (plain, security):
        row = await wait_for_status(service, email_id, "suppressed")
        assert "bounced" in row["last_error"]
    audited = await service.sql.fetch("select target from gatepost.audit_log where action = 'email.suppressed'")
    assert [row["target"] for row in audited] == [f"email:{security}"]


async def test_which_roles_and_scopes_may_send_and_read(service: Service) -> None:
    admin = await service.register_admin()
    user = await service.register()
    sender, reader = [
        (await admin.post("/v1/admin/api-keys", {"name": scope, "scopes": [scope]})).json()["secret"]
        for scope in ("emails:send", "emails:read")
    ]

    async def request(method: str, path: str, key: str, body: Any = None) -> int:
        response = await service.http.request(method, path, json=body, headers={"Authorization": f"Bearer {key}"})
        return response.status_code

    assert await request("POST", "/v1/emails", sender, BODY) == 202
    assert await request("POST", "/v1/emails", reader, BODY) == 403
    assert await request("GET", "/v1/emails", reader) == 200
    assert await request("GET", "/v1/emails", sender) == 403
    assert await request("POST", "/v1/emails", user.access_token, BODY) == 403
    assert await request("GET", "/v1/settings/email-suppressions", user.access_token) == 403
    assert (await service.http.post("/v1/emails", json=BODY)).status_code == 401


async def test_a_template_test_queues_an_email(service: Service) -> None:
    admin = await service.register_admin()
    path = "/v1/settings/email-templates/welcome"
    draft = {"subject": "Draft for {{ name }}", "html": "<p>{{ name }} {{ login_url }}</p>"}
    assert (await admin.request("PUT", f"{path}/draft", json=draft)).status_code == 200
    sent = await admin.post(f"{path}/test", {"variables": {"name": "Bob"}})
    assert sent.status_code == 202, sent.text
    row = await wait_for_status(service, sent.json()["email_id"], "sent")
    shown = (await admin.get(f"/v1/emails/{row['id']}")).json()
    assert (shown["to"], shown["subject"], shown["version"]) == (admin.email, "Draft for Bob", None)
    assert_problem(await admin.post(f"/v1/emails/{row['id']}/resend"), 409, "conflict")

    builtin = await admin.post(f"{path}/test", {"version": 0, "to": "eve@acme.com"})
    shown = (await admin.get(f"/v1/emails/{builtin.json()['email_id']}")).json()
    assert (shown["to"], shown["version"]) == ("eve@acme.com", 0)
    assert_problem(await admin.post(f"{path}/test", {"version": 7}), 404, "not_found")
    assert_problem(await admin.post(f"{path}/test", {"variables": {"x": 1}}), 422, "validation_failed")
    key = (await admin.post("/v1/admin/api-keys", {"name": "x", "scopes": ["templates:write"]})).json()["secret"]
    response = await service.http.post(f"{path}/test", json={}, headers={"Authorization": f"Bearer {key}"})
    assert_problem(response, 422, "validation_failed")
