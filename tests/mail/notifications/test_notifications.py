"""Notifications and their links, as they are in the email that was sent."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.support import CHROME_ON_WINDOWS, PASSWORD, SAFARI_ON_IPHONE, Device, assert_problem
from tests.support.mail import WEB_URL, MailService, wait_for_status


async def test_the_new_device_email_lets_the_user_report_and_reset(mail_service: MailService) -> None:
    """One click on "This wasn't me" signs out every device and starts a password reset."""
    user = await mail_service.register_confirmed()
    attacker = await mail_service.login(user.email, user_agent=SAFARI_ON_IPHONE)
    email = await mail_service.sent_email("new-device")
    assert email["to"] == [user.email]
    assert "Safari on iOS" in email["text"] or "iPhone" in email["text"]
    assert f"{WEB_URL}/devices" in email["text"]

    token = await mail_service.link_token("new-device")
    response = await mail_service.http.post("/v1/sessions/not-me", json={"token": token})
    assert response.status_code == 200, response.text
    assert response.json()["revoked"] == 2
    for device in (attacker, user):
        problem = assert_problem(await device.get("/v1/me"), 401, "session_revoked")
        assert problem["reason"] == "not_me"
    form = {"email": user.email, "password": PASSWORD}
    assert_problem(await mail_service.http.post("/v1/auth/login", json=form), 401, "invalid_credentials")
    again = await mail_service.http.post("/v1/sessions/not-me", json={"token": token})
    assert_problem(again, 410, "link_used")

    reset = {"token": response.json()["reset_token"], "password": "a new one entirely"}
    assert (await mail_service.http.post("/v1/auth/password/reset", json=reset)).status_code == 204
    form["password"] = reset["password"]
    assert (await mail_service.http.post("/v1/auth/login", json=form)).status_code == 200


async def test_which_devices_count_as_new(mail_service: MailService) -> None:
    user = await mail_service.register_confirmed()
    assert await mail_service.count_emails("new-device") == 0
    assert await mail_service.count_emails("welcome") == 0
    await mail_service.login(user.email, user_agent=SAFARI_ON_IPHONE)
    assert await mail_service.count_emails("new-device") == 1
    await mail_service.login(user.email, user_agent=SAFARI_ON_IPHONE)
    assert await mail_service.count_emails("new-device") == 1
    await mail_service.login(user.email, user_agent=CHROME_ON_WINDOWS)
    assert await mail_service.count_emails("new-device") == 2
    # A notification that failed does not count. Its worker has to be done with it before.
    await mail_service.sent_email("new-device", 2)
    await mail_service.sql.execute("update gatepost.emails set status = 'failed' where template = 'new-device'")
    await mail_service.login(user.email, user_agent=CHROME_ON_WINDOWS)
    assert await mail_service.count_emails("new-device") == 3
    # A day later.
    await mail_service.sql.execute("update gatepost.sessions set created_at = created_at - interval '25 hours'")
    await mail_service.login(user.email, user_agent=CHROME_ON_WINDOWS)
    assert await mail_service.count_emails("new-device") == 4


async def test_a_browser_is_known_by_its_cookie_until_the_password_changes(mail_service: MailService) -> None:
    user = await mail_service.register_confirmed()
    form = {"email": user.email, "password": PASSWORD, "transport": "cookie"}
    async with mail_service.browser() as browser:
        for expected in (1, 1):
            assert (await browser.post("/v1/auth/login", json=form)).status_code == 200
            assert await mail_service.count_emails("new-device") == expected
            # Neither the network nor the system identifies the device now.
            await mail_service.sql.execute("update gatepost.sessions set os = 'elsewhere'")
        change = {"current_password": PASSWORD, "new_password": "another one entirely"}
        assert (await browser.post("/v1/auth/password/change", json=change)).status_code == 204
        await mail_service.sql.execute("update gatepost.sessions set os = 'elsewhere'")
        form["password"] = change["new_password"]
        assert (await browser.post("/v1/auth/login", json=form)).status_code == 200
        assert await mail_service.count_emails("new-device") == 2


async def test_a_forgotten_password_is_reset(mail_service: MailService) -> None:
    user = await mail_service.register()
    for email in (user.email.upper(), "nobody@example.com"):
        response = await mail_service.http.post("/v1/auth/password/forgot", json={"email": email})
        assert (response.status_code, response.content) == (202, b"")
    token = await mail_service.link_token("reset-password")
    assert "1 hour" in (await mail_service.sent_email("reset-password"))["text"]

    form = {"token": token, "password": "short"}
    assert_problem(await mail_service.http.post("/v1/auth/password/reset", json=form), 422, "validation_failed")
    form["password"] = "a new one entirely"
    assert (await mail_service.http.post("/v1/auth/password/reset", json=form)).status_code == 204
    assert_problem(await user.get("/v1/me"), 401, "session_revoked")
    assert_problem(await mail_service.http.post("/v1/auth/password/reset", json=form), 410, "link_used")


async def test_reset_emails_are_limited_and_the_first_link_still_works(mail_service: MailService) -> None:
    user = await mail_service.register()
    for _ in range(8):
        await mail_service.http.post("/v1/auth/password/forgot", json={"email": user.email})
    assert await mail_service.count_emails("reset-password") == 5
    form = {"token": await mail_service.link_token("reset-password", 1), "password": "a new one entirely"}
    assert (await mail_service.http.post("/v1/auth/password/reset", json=form)).status_code == 204


async def test_verifying_an_email_address_sends_the_welcome_email(mail_service: MailService) -> None:
    user = await mail_service.register()
    token = await mail_service.link_token("verify-email")
    assert (await user.get("/v1/me")).json()["user"]["email_verified_at"] is None
    assert (await user.post("/v1/auth/email/verify", {"token": token})).status_code == 200
    assert (await user.get("/v1/me")).json()["user"]["email_verified_at"] is not None
    assert (await mail_service.sent_email("welcome"))["to"] == [user.email]
    again = await mail_service.http.post("/v1/auth/email/verify", json={"token": token})
    assert_problem(again, 410, "link_used")


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/v1/sessions/not-me", "new-device"),
        ("/v1/auth/password/reset", "reset-password"),
        ("/v1/auth/email/verify", "verify-email"),
    ],
)
async def test_a_link_works_once_for_its_own_purpose_until_it_expires(
    mail_service: MailService, path: str, template: str
) -> None:
    user = await mail_service.register_confirmed()
    await mail_service.login(user.email, user_agent=SAFARI_ON_IPHONE)
    await mail_service.http.post("/v1/auth/password/forgot", json={"email": user.email})

    async def use(token: str) -> Any:
        return await mail_service.http.post(path, json={"token": token, "password": "a new one entirely"})

    token = await mail_service.link_token(template)
    for other in {"new-device", "reset-password", "verify-email"} - {template}:
        assert_problem(await use(await mail_service.link_token(other)), 404, "link_invalid")
    for index in range(len(token)):
        changed = token[:index] + ("A" if token[index] != "A" else "B") + token[index + 1 :]
        assert_problem(await use(changed), 404, "link_invalid")
    for nonsense in ("", "x", token + "A", token[:-1], token + "=", " " + token, "ä" * 43, "\0" * 43):
        assert_problem(await use(nonsense), 404, "link_invalid")

    await mail_service.sql.execute("update gatepost.links set expires_at = now()")
    assert_problem(await use(token), 410, "link_expired")
    await mail_service.sql.execute("update gatepost.links set expires_at = now() + interval '1 minute'")
    assert (await use(token)).is_success


async def test_opening_the_links_changes_nothing(mail_service: MailService) -> None:
    user = await mail_service.register_confirmed()
    await mail_service.login(user.email, user_agent=SAFARI_ON_IPHONE)
    email = await mail_service.sent_email("new-device")
    paths = set(re.findall(rf"{WEB_URL}(/[^\s\"<]*)", email["text"] + email["html"]))
    assert any("#token=" in path for path in paths)
    for url in paths:
        for _ in range(100):
            await mail_service.http.get(url)
    assert (await user.get("/v1/me")).status_code == 200
    assert await mail_service.sql.fetchval("select count(*) from gatepost.links where used_at is not null") == 0


async def test_link_tokens_are_neither_stored_nor_logged(
    mail_service: MailService, caplog: pytest.LogCaptureFixture
) -> None:
    user = await mail_service.register_confirmed()
    await mail_service.login(user.email, user_agent=SAFARI_ON_IPHONE)
    await mail_service.http.post("/v1/auth/password/forgot", json={"email": user.email})
    tokens = [await mail_service.link_token(each) for each in ("new-device", "reset-password", "verify-email")]
    everything = ""
    tables = await mail_service.sql.fetch("select tablename from pg_tables where schemaname = 'gatepost'")
    for table in tables:
        rows = await mail_service.sql.fetch(f"select t::text as row from gatepost.{table['tablename']} t")
        everything += "\n".join(row["row"] for row in rows)
    admin = await mail_service.register_admin()
    for email in (await admin.get("/v1/emails")).json()["items"]:
        everything += (await admin.get(f"/v1/emails/{email['id']}")).text
    assert "masked-" in everything
    for token in tokens:
        assert token not in everything
        assert token not in caplog.text


async def test_a_link_placeholder_in_another_email_is_not_replaced(mail_service: MailService) -> None:
    """An application that may queue email cannot have a link of another user rendered into it."""
    await mail_service.register()
    await mail_service.sent_email("verify-email")
    link = await mail_service.sql.fetchval("select id from gatepost.links")
    variables = json.dumps({"name": f"masked-{link.hex}", "login_url": f"https://x.com/masked-{link.hex}"})
    query = "select gatepost.queue_email('welcome', 'eve@acme.com', $1)"
    row = await wait_for_status(
        mail_service, str(await mail_service.sql.fetchval(query, variables)), "sent", "delivered"
    )
    sent = mail_service.resend.messages.find(row["provider_id"])
    assert sent is not None
    assert f"masked-{link.hex}" in sent.payload["text"]


async def test_revocations_by_admins_can_notify_and_refresh_token_reuse_always_does(mail_service: MailService) -> None:
    user = await mail_service.register_confirmed()
    other = await mail_service.login(user.email, user_agent=CHROME_ON_WINDOWS)
    admin = await mail_service.register_admin()
    await admin.delete(f"/v1/admin/sessions/{other.id}?reason=lost&notify=true")
    email = await mail_service.sent_email("session-revoked")
    assert "Chrome on Windows" in email["text"]
    assert "Signed out by an admin" in email["text"]
    third = await mail_service.login(user.email, user_agent=CHROME_ON_WINDOWS)
    await admin.delete(f"/v1/admin/sessions/{third.id}?reason=lost")
    await admin.delete(f"/v1/admin/users/{user.user_id}/sessions?reason=lost&notify=true")
    assert await mail_service.count_emails("session-revoked") == 2

    stolen = await mail_service.login(user.email)
    first = stolen.refresh_token
    await stolen.refresh()
    await stolen.refresh()
    await mail_service.http.post("/v1/auth/refresh", json={"refresh_token": first})
    assert "used on two devices" in (await mail_service.sent_email("suspicious-refresh"))["text"]


async def test_notifications_are_in_the_users_language(mail_service: MailService) -> None:
    headers = {"Accept-Language": "fr;q=0.2, de-AT, en;q=0.9"}
    form = {"email": "ada@example.com", "password": PASSWORD}
    response = await mail_service.http.post("/v1/auth/register", json=form, headers=headers)
    user = Device(mail_service.http, form["email"], response.json())
    await mail_service.http.post("/v1/auth/password/forgot", json={"email": user.email})
    assert (await mail_service.sent_email("reset-password"))["row"]["locale"] == "de"
    assert "1 Stunde" in (await mail_service.sent_email("reset-password"))["text"]
    await mail_service.sql.execute("""update gatepost.users set user_metadata = '{"locale": "en"}'""")
    await mail_service.http.post("/v1/auth/password/forgot", json={"email": user.email})
    assert (await mail_service.sent_email("reset-password", 2))["row"]["locale"] == "en"


async def test_the_content_of_security_email_is_erased_once_it_is_sent(mail_service: MailService) -> None:
    values = json.dumps({"reset_url": "https://acme.com/reset?code=s3cret", "expires_in": "1 hour"})
    query = "select gatepost.queue_email('reset-password', 'ada@acme.com', $1)"
    row = await wait_for_status(mail_service, str(await mail_service.sql.fetchval(query, values)), "sent", "delivered")
    assert (row["payload"], row["variables"]) == (None, "{}")
    assert "s3cret" in mail_service.resend.messages[-1].payload["text"]
