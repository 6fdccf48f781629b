"""The mailbox of captured mail, and which mail a person wants."""

from __future__ import annotations

import re
from email import message_from_string, policy

from tests.post.support import WELCOME, by_resend, queue, status_of
from tests.resend import FakeResend
from tests.support import Service, admin, assert_problem, running_service


async def captured(service: Service, template: str) -> str:
    query = "select id from gatepost.emails where template = $1 order by created_at desc limit 1"
    email_id = str(await service.sql.fetchval(query, template))
    await status_of(service, email_id, "sent")
    return email_id


async def test_a_link_is_read_from_the_mailbox_and_works(service: Service) -> None:
    boss = await admin(service)
    email_id = await captured(service, "verify-email")
    listed = (await boss.get("/v1/mailbox")).json()["items"]
    assert [each["id"] for each in listed] == [email_id]
    shown = (await boss.get(f"/v1/mailbox/{email_id}")).json()
    assert (shown["to"], shown["template"]) == (boss.email, "verify-email")
    token = re.search(r"#token=([\w-]+)", shown["text"])
    assert token
    assert token[1] in shown["html"]
    source = message_from_string(shown["source"], policy=policy.default)
    assert source["To"] == shown["headers"]["To"] == boss.email
    assert source["Subject"] == shown["subject"]
    page = await boss.get(f"/v1/mailbox/{email_id}/html")
    assert page.text == shown["html"]
    assert page.headers["content-security-policy"].startswith("sandbox;")
    # In the log the same message holds no link.
    assert token[1] not in (await boss.get(f"/v1/emails/{email_id}")).text
    assert (await service.http.post("/v1/auth/email/verify", json={"token": token[1]})).status_code == 204


async def test_the_mailbox_is_for_admins_and_for_captured_mail(service: Service, database_url: str) -> None:
    person = await service.register()
    email_id = await captured(service, "verify-email")
    for path in ("", f"/{email_id}", f"/{email_id}/html"):
        assert_problem(await person.get(f"/v1/mailbox{path}"), 403, "forbidden")
    boss = await admin(service)
    key = (await boss.post("/v1/admin/api-keys", {"name": "x", "scopes": ["emails:read"]})).json()["secret"]
    answer = await service.http.get("/v1/mailbox", headers={"Authorization": f"Bearer {key}"})
    assert_problem(answer, 403, "forbidden")
    async with FakeResend() as resend, running_service(database_url, **by_resend(resend)) as other:
        boss = await admin(other)
        assert_problem(await boss.get("/v1/mailbox"), 404, "not_found")
        assert_problem(await boss.get(f"/v1/mailbox/{email_id}"), 404, "not_found")


async def test_what_is_not_security_can_be_turned_off(service: Service) -> None:
    person = await service.register()
    path = "/v1/me/notices"
    listed = {each["key"]: each for each in (await person.get(path)).json()["items"]}
    assert [key for key, each in listed.items() if not each["security"]] == ["new-invoice", "welcome"]
    assert all(each["enabled"] for each in listed.values())

    chosen = await person.request("PUT", f"{path}/welcome", json={"enabled": False})
    assert (chosen.status_code, chosen.json()["enabled"]) == (200, False)
    row = await status_of(service, await queue(service, person.email.upper(), variables=WELCOME), "suppressed", "sent")
    assert (row["status"], row["last_error"]) == ("suppressed", "This person has turned such mail off.")
    await person.request("PUT", f"{path}/welcome", json={"enabled": True})
    await status_of(service, await queue(service, person.email, variables=WELCOME), "sent")

    refused = await person.request("PUT", f"{path}/new-device", json={"enabled": False})
    assert_problem(refused, 409, "conflict")
    assert_problem(await person.request("PUT", f"{path}/nothing", json={"enabled": False}), 404, "not_found")
    assert_problem(await person.request("PUT", f"{path}/welcome", json={"enabled": "x"}), 422, "validation_failed")
    assert (await service.http.get(path)).status_code == 401


async def test_each_kind_of_mail_says_to_its_recipient_when_it_comes(service: Service) -> None:
    """The built-in ones in words of their own; a template of somebody's own by its description."""
    boss = await admin(service)
    told = {"key": "news", "name": "News", "description": "What is new.", "variables": []}
    words = {"subject": "News", "html": "<p>News</p>"}
    assert (await boss.post("/v1/settings/email-templates", told | words)).status_code == 201
    listed = (await boss.get("/v1/me/notices")).json()["items"]
    said = {each["key"]: each["description"] for each in listed}
    assert said.pop("news") == "What is new."
    assert said["new-device"] == "When your account is signed in to on a device that we have not seen before."
    assert len(said) == 7
    assert all(each.startswith(("When ", "Once, ")) for each in said.values())
    templates = (await boss.get("/v1/settings/email-templates")).json()["items"]
    assert {each["description"] for each in templates}.isdisjoint(said.values())
