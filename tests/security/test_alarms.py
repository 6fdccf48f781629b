"""Alarms: what a user or an admin is told when something happens that an attacker would do."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support import CHROME_ON_WINDOWS, PASSWORD, SAFARI_ON_IPHONE, Service, assert_problem
from tests.support.cli import run_process
from tests.support.mail import WEB_URL, MailService, running_mail_service
from tests.support.service import running_service


@pytest.fixture
async def mailing(database_url: str) -> AsyncIterator[MailService]:
    """A service that sends through a fake Resend and knows clients by the header of its proxy."""
    async with running_mail_service(database_url, trusted_proxies="127.0.0.1", max_sessions=50) as service:
        yield service


async def sign_in(service: MailService, email: str, ip: str, user_agent: str = CHROME_ON_WINDOWS) -> None:
    form = {"email": email, "password": PASSWORD}
    headers = {"X-Forwarded-For": ip, "User-Agent": user_agent}
    assert (await service.http.post("/v1/auth/login", json=form, headers=headers)).status_code == 200


async def recipients(service: Service, template: str) -> list[str]:
    query = "select recipient from gatepost.emails where template = $1 order by recipient"
    return [row["recipient"] for row in await service.sql.fetch(query, template)]


@pytest.mark.parametrize(
    ("first", "second", "user_agent", "later", "reported"),
    [
        ("198.51.100.1", "198.51.100.1", CHROME_ON_WINDOWS, "0", False),
        ("198.51.100.1", "198.51.100.2", CHROME_ON_WINDOWS, "0", True),
        ("198.51.100.1", "198.51.100.1", SAFARI_ON_IPHONE, "0", True),
        ("198.51.100.1", "198.51.100.1", CHROME_ON_WINDOWS, "23 hours", False),
        ("198.51.100.1", "198.51.100.1", CHROME_ON_WINDOWS, "25 hours", True),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", CHROME_ON_WINDOWS, "0", False),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", CHROME_ON_WINDOWS, "0", True),
    ],
)
async def test_a_device_without_the_cookie_is_known_by_an_exact_match_within_a_day(
    mailing: MailService, first: str, second: str, user_agent: str, later: str, reported: bool
) -> None:
    user = await mailing.register_confirmed()
    await sign_in(mailing, user.email, first)
    assert await mailing.count_emails("new-device") == 1
    await mailing.sql.execute(f"update gatepost.sessions set created_at = created_at - interval '{later}'")
    await sign_in(mailing, user.email, second, user_agent)
    assert await mailing.count_emails("new-device") == 1 + reported


async def test_an_unknown_ip_address_makes_no_device_known(mailing: MailService) -> None:
    user = await mailing.register_confirmed()
    query = """
        select gatepost.open_session(gen_random_uuid(), $1, sha256('t'), null, 'desktop', 'Chrome', 'Windows', null,
                                     '1 day', '1 day', 50)
    """
    for _ in range(2):
        await mailing.sql.execute(query, user.user_id)
    assert await mailing.count_emails("new-device") == 2


async def test_the_cookie_decides_wherever_the_browser_is(mailing: MailService) -> None:
    user = await mailing.register_confirmed()
    form = {"email": user.email, "password": PASSWORD, "transport": "cookie"}
    async with mailing.browser() as browser:
        for ip in ("198.51.100.1", "203.0.113.1", "2001:db8::1"):
            response = await browser.post("/v1/auth/login", json=form, headers={"X-Forwarded-For": ip})
            assert response.status_code == 200
    assert await mailing.count_emails("new-device") == 1


async def test_the_password_changed_email_says_when_from_where_and_what_to_do(mailing: MailService) -> None:
    """The session is the caller's to name; the IP address is that of the audit row in the same transaction."""
    user = await mailing.register_confirmed()
    async with mailing.sql.transaction():
        audit = "select gatepost.record_audit($1, 'password.reset', $1, null, '198.51.100.7')"
        await mailing.sql.execute(audit, f"user:{user.user_id}")
        await mailing.sql.execute("select gatepost.queue_notification('password-changed', $1)", user.user_id)
    about = json.dumps({"session_id": user.id})
    await mailing.sql.execute("select gatepost.queue_notification('password-changed', $1, $2)", user.user_id, about)

    sent = await mailing.sent_email("password-changed")
    assert sent["to"] == [user.email]
    assert "198.51.100.7" in sent["text"]
    assert "UTC" in sent["text"]
    assert "Browser" not in sent["text"] + sent["html"]
    assert f"{WEB_URL}/forgot-password" in sent["text"]
    assert f'href="{WEB_URL}/forgot-password"' in sent["html"]
    in_session = await mailing.sent_email("password-changed", 2)
    session = user.sign_in["session"]
    assert session["ip"] in in_session["text"]
    assert "Browser:     Unknown" in in_session["text"]
    assert in_session["row"]["security"]


async def test_every_admin_is_notified_of_a_new_api_key(mailing: MailService) -> None:
    creator, other = await mailing.register_admin(confirmed=True), await mailing.register_admin(confirmed=True)
    await mailing.register_confirmed()
    unconfirmed, disabled = await mailing.register_admin(), await mailing.register_admin(confirmed=True)
    await creator.post(f"/v1/admin/users/{disabled.user_id}/disable", {"reason": "left"})
    response = await creator.post(
        "/v1/admin/api-keys",
        {"name": "backup", "scopes": ["emails:read", "users:read"]},
        headers={"X-Forwarded-For": "198.51.100.9"},
    )
    assert await recipients(mailing, "api-key-created") == sorted([creator.email, other.email])
    assert unconfirmed.email not in await recipients(mailing, "api-key-created")
    for number in (1, 2):
        sent = await mailing.sent_email("api-key-created", number)
        for value in (response.json()["prefix"], "emails:read, users:read", creator.email, "198.51.100.9", "Never"):
            assert value in sent["text"], value
            assert value in sent["html"], value
        assert response.json()["secret"] not in sent["text"]
        assert "backup" not in sent["text"] + sent["html"] + sent["subject"]


async def test_every_admin_is_notified_of_a_new_admin_however_it_was_made(
    mailing: MailService, database_url: str
) -> None:
    """By SQL, by the command line, and by GATEPOST_ADMIN_EMAIL; for an API there is no such act."""
    first = await mailing.register_admin(confirmed=True)
    assert await recipients(mailing, "admin-added") == [first.email]
    settings = {"database_url": database_url, "secret_key": "s" * 40}
    # As on a database that no service of this release has used yet.
    await mailing.sql.execute("delete from gatepost.builtin_templates where key = 'admin-added'")
    command = ("users", "create-admin", "cli@example.com")
    code, _, error = run_process(command, settings, stdin="correct horse battery\n")
    assert code == 0, error
    assert await recipients(mailing, "admin-added") == sorted([first.email, first.email, "cli@example.com"])
    sent = await mailing.sent_email("admin-added", 2)
    assert "cli@example.com" in sent["text"]
    assert "UTC" in sent["text"]

    async with running_service(database_url, admin_email="setting@example.com", admin_password=PASSWORD):
        pass
    assert len(await recipients(mailing, "admin-added")) == 6
    # What does not make an admin is not reported.
    await mailing.sql.execute("update gatepost.users set role = 'admin' where role = 'admin'")
    await mailing.sql.execute("update gatepost.users set role = 'user' where email <> 'cli@example.com'")
    assert len(await recipients(mailing, "admin-added")) == 6


async def test_a_changed_email_address_is_reported_to_the_previous_one(mailing: MailService) -> None:
    user = await mailing.register_confirmed()
    await mailing.http.post("/v1/auth/password/forgot", json={"email": user.email})
    token = await mailing.link_token("reset-password")
    async with mailing.sql.transaction():
        await mailing.sql.execute("select gatepost.set_actor('cli', 'asked by phone', '198.51.100.4')")
        await mailing.sql.execute("update gatepost.users set email = 'new@example.com' where id = $1", user.user_id)

    sent = await mailing.sent_email("email-changed")
    assert sent["to"] == [user.email]
    assert "198.51.100.4" in sent["text"]
    assert "new@example.com" not in sent["text"] + sent["html"]
    row = await mailing.sql.fetchrow("select * from gatepost.audit_log where action = 'email.changed'")
    assert row is not None
    assert (row["actor"], row["target"], row["reason"]) == ("cli", f"user:{user.user_id}", "asked by phone")

    state = (await user.get("/v1/me")).json()["user"]
    assert (state["email"], state["email_verified_at"]) == ("new@example.com", None)
    form = {"token": token, "password": "a new one entirely"}
    problem: dict[str, Any] = (await mailing.http.post("/v1/auth/password/reset", json=form)).json()
    assert problem["code"] in ("link_expired", "link_invalid")
    # The new address gets nothing before it is confirmed; the previous one nothing more.
    await sign_in(mailing, "new@example.com", "198.51.100.1")
    assert await mailing.count_emails("new-device") == 0


async def test_an_email_address_that_is_the_same_or_was_never_confirmed_is_not_reported(mailing: MailService) -> None:
    user, unconfirmed = await mailing.register_confirmed(email="ada@example.com"), await mailing.register()
    change = "update gatepost.users set email = $2 where id = $1"
    await mailing.sql.execute(change, user.user_id, "Ada@Example.com")
    assert (await user.get("/v1/me")).json()["user"]["email_verified_at"] is not None
    await mailing.sql.execute(change, unconfirmed.user_id, "other@example.com")
    assert await mailing.count_emails("email-changed") == 0
    assert await mailing.sql.fetchval("select count(*) from gatepost.audit_log where action = 'email.changed'") == 1


async def test_an_email_address_that_was_confirmed_before_the_change_stays_confirmed(mailing: MailService) -> None:
    """For a feature that sends a link to the new address first."""
    user = await mailing.register_confirmed()
    change = "update gatepost.users set email = 'new@example.com', email_verified_at = clock_timestamp() where id = $1"
    await mailing.sql.execute(change, user.user_id)
    assert (await user.get("/v1/me")).json()["user"]["email_verified_at"] is not None
    assert await recipients(mailing, "email-changed") == [user.email]


async def test_there_is_no_api_that_changes_an_email_address(mailing: MailService) -> None:
    user = await mailing.register_confirmed()
    admin = await mailing.register_admin(confirmed=True)
    for device in (user, admin):
        for path in ("/v1/me", f"/v1/admin/users/{user.user_id}"):
            for method in ("PATCH", "PUT", "POST"):
                response = await device.request(method, path, json={"email": "evil@example.com"})
                assert_problem(response, response.status_code, response.json()["code"])
                assert response.status_code in (404, 405)
    assert (await user.get("/v1/me")).json()["user"]["email"] == user.email
