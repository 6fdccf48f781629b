"""Templates whose emails contain secrets: nobody but the recipient sees them, and they are erased once sent."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

from tests.support import Device, Service, assert_problem
from tests.support.cli import run_here
from tests.support.mail import pause_mail, queue_email, running_mail_service, wait_for_status

BASE = "/v1/settings/email-templates"
CODE = "739184"
TEMPLATE: dict[str, Any] = {
    "key": "one-time-code",
    "name": "One-time code",
    "subject": "{{ code }} is your code",
    "html": "<p>Your code is {{ code }}.</p>",
    "variables": [{"name": "code", "type": "string", "example": "123456"}],
}


async def publish(admin: Device, **changes: Any) -> None:
    created = await admin.post(BASE, TEMPLATE | changes)
    assert created.status_code == 201, created.text
    assert (await admin.post(f"{BASE}/one-time-code/publish")).status_code == 201


async def assert_hidden(service: Service, admin: Device, email_id: str) -> None:
    """Check that no interface shows the code of an email."""
    shown = await admin.get(f"/v1/emails/{email_id}")
    assert shown.json()["content_hidden"] is True
    assert_problem(await admin.get(f"/v1/emails/{email_id}/html"), 404, "not_found")
    listed = await admin.get("/v1/emails")
    database_url = service.settings.database_url
    assert database_url is not None
    settings = {"database_url": database_url.get_secret_value(), "secret_key": "s" * 40}
    _, as_json, _ = await asyncio.to_thread(run_here, ["emails", "show", email_id, "--json"], settings)
    status, text, error = await asyncio.to_thread(run_here, ["emails", "show", email_id, "--part", "text"], settings)
    assert (status, "contains secrets" in error) == (1, True)
    for output in (shown.text, listed.text, as_json, text):
        assert CODE not in output


async def count_stored(service: Service) -> int:
    """Return in how many rows the code is stored."""
    query = """
        select (select count(*) from gatepost.emails e where e::text like $1)
            + (select count(*) from gatepost.email_events e where e::text like $1)
            + (select count(*) from gatepost.email_attachments)
    """
    return int(await service.sql.fetchval(query, f"%{CODE}%"))


async def test_the_content_is_never_shown_and_is_erased_once_sent(database_url: str) -> None:
    async with running_mail_service(database_url) as service:
        admin = await service.register_admin()
        await publish(admin, contains_secrets=True)
        assert (await admin.get(f"{BASE}/one-time-code")).json()["contains_secrets"] is True
        later = await queue_email(
            service, template="one-time-code", variables={"code": CODE}, p_send_at=await service.sql.fetchval(
                "select now() + interval '1 hour'"
            )
        )  # fmt: skip
        await assert_hidden(service, admin, later)
        assert await count_stored(service) == 1
        assert (await admin.post(f"/v1/emails/{later}/cancel")).status_code == 200
        assert await count_stored(service) == 0

        file = {"filename": "code.txt", "content": base64.b64encode(CODE.encode()).decode()}
        body = {"template": "one-time-code", "to": "ada@acme.com", "variables": {"code": CODE}, "attachments": [file]}
        key = await service.create_api_key(admin, "emails:send")
        sent = await key.post("/v1/emails", body)
        assert sent.status_code == 202, sent.text
        row = await wait_for_status(service, sent.json()["id"], "sent")
        message = service.resend.messages.find(row["provider_id"])
        assert message is not None
        assert message.payload["subject"] == f"{CODE} is your code"
        await assert_hidden(service, admin, sent.json()["id"])
        assert await count_stored(service) == 0
        assert_problem(await admin.post(f"/v1/emails/{sent.json()['id']}/resend"), 409, "conflict")


async def test_the_content_of_an_email_that_is_not_sent_is_erased(service: Service) -> None:
    admin = await service.register_admin()
    await publish(admin, contains_secrets=True)
    await service.sql.execute(
        "insert into gatepost.email_suppressions (email, reason, created_by) values ('ada@acme.com', 'bounce', 'x')"
    )
    file = json.dumps([{"filename": "x.txt", "content_type": "text/plain", "content": "eA=="}])
    email_id = await queue_email(service, template="one-time-code", variables={"code": CODE}, p_attachments=file)
    await wait_for_status(service, email_id, "suppressed")
    assert await count_stored(service) == 0


async def test_marking_a_template_hides_the_emails_that_were_sent_before(database_url: str) -> None:
    async with running_mail_service(database_url) as service:
        admin = await service.register_admin()
        await publish(admin)
        email_id = await queue_email(service, template="one-time-code", variables={"code": CODE})
        await wait_for_status(service, email_id, "sent")
        assert CODE in (await admin.get(f"/v1/emails/{email_id}")).text
        marked = await admin.put(f"{BASE}/one-time-code/secrets", {"contains_secrets": True})
        assert marked.status_code == 204, marked.text
        await assert_hidden(service, admin, email_id)
        assert await count_stored(service) == 0
        [audited] = (await admin.get("/v1/admin/audit?action=template.secrets_marked")).json()["items"]
        assert audited["detail"] == {"contains_secrets": True}


async def test_only_an_admin_in_person_marks_a_template(service: Service) -> None:
    admin = await service.register_admin()
    key = await service.create_api_key(admin, "templates:write")
    await publish(admin, contains_secrets=True)
    path = f"{BASE}/one-time-code/secrets"
    assert_problem(await key.put(path, {"contains_secrets": False}), 403, "forbidden")
    assert_problem(await key.post(f"{BASE}/one-time-code/publish"), 404, "not_found")
    assert_problem(await key.delete(f"{BASE}/one-time-code"), 403, "forbidden")
    assert_problem(await admin.put(f"{BASE}/nothing/secrets", {"contains_secrets": True}), 404, "not_found")
    assert_problem(await admin.put(f"{BASE}/reset-password/secrets", {"contains_secrets": False}), 409, "conflict")
    assert (await admin.put(f"{BASE}/reset-password/secrets", {"contains_secrets": True})).status_code == 204
    assert (await admin.put(f"{BASE}/welcome/secrets", {"contains_secrets": True})).status_code == 204
    listed = {each["key"]: each["contains_secrets"] for each in (await admin.get(BASE)).json()["items"]}
    assert listed["welcome"]
    assert listed["verify-email"]
    assert not listed["new-invoice"]
    await service.sql.execute("update gatepost.sessions set authenticated_at = now() - interval '1 hour'")
    assert_problem(await admin.put(path, {"contains_secrets": False}), 403, "reauthentication_required")


async def test_the_mailbox_shows_secrets_to_their_recipient_only(service: Service) -> None:
    admin, other = await service.register_admin(), await service.register_admin()
    await publish(admin, contains_secrets=True)
    email_id = await queue_email(service, admin.email.upper(), "one-time-code", variables={"code": CODE})
    await wait_for_status(service, email_id, "sent")
    own = await admin.get(f"/v1/mailbox/{email_id}")
    assert own.json()["subject"] == f"{CODE} is your code"
    for path in (f"/v1/mailbox/{email_id}", f"/v1/mailbox/{email_id}/html"):
        assert_problem(await other.get(path), 403, "forbidden")
    assert CODE not in (await other.get("/v1/mailbox")).text


async def test_security_templates_count_as_secret(service: Service) -> None:
    """An application that queues a security template itself puts its own link into it."""
    admin = await service.register_admin()
    await pause_mail(service)
    url = f"https://app.example.com/reset#{CODE}"
    email_id = await queue_email(
        service, template="reset-password", variables={"reset_url": url, "expires_in": "1 hour"}
    )
    await assert_hidden(service, admin, email_id)
