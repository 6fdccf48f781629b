"""The mailbox: email that the capture transport has captured."""

from __future__ import annotations

import re
from email import message_from_string, policy

from tests.support import Service, assert_problem, running_service
from tests.support.fake_resend import FakeResend
from tests.support.mail import resend_settings, wait_for_status


async def wait_for_capture(service: Service, template: str) -> str:
    query = "select id from gatepost.emails where template = $1 order by created_at desc limit 1"
    email_id = str(await service.sql.fetchval(query, template))
    await wait_for_status(service, email_id, "sent")
    return email_id


async def test_the_mailbox_shows_an_email_whose_link_works(service: Service) -> None:
    admin = await service.register_admin()
    email_id = await wait_for_capture(service, "verify-email")
    listed = (await admin.get("/v1/mailbox")).json()["items"]
    assert [each["id"] for each in listed] == [email_id]
    shown = (await admin.get(f"/v1/mailbox/{email_id}")).json()
    assert (shown["to"], shown["template"]) == (admin.email, "verify-email")
    token = re.search(r"#token=([\w-]+)", shown["text"])
    assert token
    assert token[1] in shown["html"]
    source = message_from_string(shown["source"], policy=policy.default)
    assert source["To"] == shown["headers"]["To"] == admin.email
    assert source["Subject"] == shown["subject"]
    page = await admin.get(f"/v1/mailbox/{email_id}/html")
    assert page.text == shown["html"]
    assert page.headers["content-security-policy"].startswith("sandbox;")
    # In the email log the same message contains no link.
    assert token[1] not in (await admin.get(f"/v1/emails/{email_id}")).text
    assert (await service.http.post("/v1/auth/email/verify", json={"token": token[1]})).status_code == 200


async def test_the_mailbox_is_for_admins_and_only_with_the_capture_transport(
    service: Service, database_url: str
) -> None:
    user = await service.register()
    email_id = await wait_for_capture(service, "verify-email")
    for path in ("", f"/{email_id}", f"/{email_id}/html"):
        assert_problem(await user.get(f"/v1/mailbox{path}"), 403, "forbidden")
    admin = await service.register_admin()
    key = (await admin.post("/v1/admin/api-keys", {"name": "x", "scopes": ["emails:read"]})).json()["secret"]
    response = await service.http.get("/v1/mailbox", headers={"Authorization": f"Bearer {key}"})
    assert_problem(response, 403, "forbidden")
    async with FakeResend() as resend, running_service(database_url, **resend_settings(resend)) as sending:
        admin = await sending.register_admin()
        assert_problem(await admin.get("/v1/mailbox"), 404, "not_found")
        assert_problem(await admin.get(f"/v1/mailbox/{email_id}"), 404, "not_found")
