"""Notices and their links: queued with what they tell of, read from the mail as it went out, used once."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.post.mail import PAGES, Post
from tests.post.support import status_of
from tests.support import CHROME_ON_WINDOWS, PASSWORD, SAFARI_ON_IPHONE, Device, assert_problem


async def test_a_new_device_to_this_was_not_me(post: Post) -> None:
    """The mail names the device; one press ends the attacker's session and everybody's, and starts a new password."""
    person = await post.service.register()
    attacker = await post.service.login(person.email, user_agent=SAFARI_ON_IPHONE)
    mail = await post.mail("new-device")
    assert mail["to"] == [person.email]
    assert "Safari on iOS" in mail["text"] or "iPhone" in mail["text"]
    assert f"{PAGES}/devices" in mail["text"]

    token = await post.token("new-device")
    answer = await post.service.http.post("/v1/sessions/not-me", json={"token": token})
    assert answer.status_code == 200, answer.text
    assert answer.json()["revoked"] == 2
    for device in (attacker, person):
        problem = assert_problem(await device.get("/v1/me"), 401, "session_revoked")
        assert problem["reason"] == "not_me"
    form = {"email": person.email, "password": PASSWORD}
    assert_problem(await post.service.http.post("/v1/auth/login", json=form), 401, "invalid_credentials")
    again = await post.service.http.post("/v1/sessions/not-me", json={"token": token})
    assert_problem(again, 410, "link_used")

    reset = {"token": answer.json()["reset_token"], "password": "a new one entirely"}
    assert (await post.service.http.post("/v1/auth/password/reset", json=reset)).status_code == 204
    form["password"] = reset["password"]
    assert (await post.service.http.post("/v1/auth/login", json=form)).status_code == 200


async def test_what_is_new_and_what_is_not(post: Post) -> None:
    person = await post.service.register()
    assert await post.count("new-device") == 0
    assert await post.count("welcome") == 0
    await post.service.login(person.email, user_agent=SAFARI_ON_IPHONE)
    assert await post.count("new-device") == 1
    await post.service.login(person.email, user_agent=SAFARI_ON_IPHONE)
    assert await post.count("new-device") == 1
    await post.service.login(person.email, user_agent=CHROME_ON_WINDOWS)
    assert await post.count("new-device") == 2
    # A notice that was lost told nobody; its worker has put it down before.
    await post.mail("new-device", 2)
    await post.service.sql.execute("update gatepost.emails set status = 'failed' where template = 'new-device'")
    await post.service.login(person.email, user_agent=CHROME_ON_WINDOWS)
    assert await post.count("new-device") == 3
    # Another month.
    await post.service.sql.execute("update gatepost.sessions set created_at = created_at - interval '31 days'")
    await post.service.login(person.email, user_agent=CHROME_ON_WINDOWS)
    assert await post.count("new-device") == 4


async def test_a_browser_is_known_by_its_cookie_until_the_password_changes(post: Post) -> None:
    person = await post.service.register()
    form = {"email": person.email, "password": PASSWORD, "transport": "cookie"}
    async with post.service.browser() as browser:
        for expected in (1, 1):
            assert (await browser.post("/v1/auth/login", json=form)).status_code == 200
            assert await post.count("new-device") == expected
            # On the road: neither network nor system say anything now.
            await post.service.sql.execute("update gatepost.sessions set os = 'elsewhere'")
        change = {"current_password": PASSWORD, "new_password": "another one entirely"}
        assert (await browser.post("/v1/auth/password/change", json=change)).status_code == 204
        await post.service.sql.execute("update gatepost.sessions set os = 'elsewhere'")
        form["password"] = change["new_password"]
        assert (await browser.post("/v1/auth/login", json=form)).status_code == 200
        assert await post.count("new-device") == 2


async def test_forgotten_and_chosen_anew(post: Post) -> None:
    person = await post.service.register()
    for email in (person.email.upper(), "nobody@example.com"):
        answer = await post.service.http.post("/v1/auth/password/forgot", json={"email": email})
        assert (answer.status_code, answer.content) == (202, b"")
    token = await post.token("reset-password")
    assert "1 hour" in (await post.mail("reset-password"))["text"]

    form = {"token": token, "password": "short"}
    assert_problem(await post.service.http.post("/v1/auth/password/reset", json=form), 422, "validation_failed")
    form["password"] = "a new one entirely"
    assert (await post.service.http.post("/v1/auth/password/reset", json=form)).status_code == 204
    assert_problem(await person.get("/v1/me"), 401, "session_revoked")
    assert_problem(await post.service.http.post("/v1/auth/password/reset", json=form), 410, "link_used")


async def test_asking_often_locks_nobody_out(post: Post) -> None:
    person = await post.service.register()
    for _ in range(8):
        await post.service.http.post("/v1/auth/password/forgot", json={"email": person.email})
    assert await post.count("reset-password") == 5
    form = {"token": await post.token("reset-password", 1), "password": "a new one entirely"}
    assert (await post.service.http.post("/v1/auth/password/reset", json=form)).status_code == 204


async def test_an_address_is_confirmed_and_then_greeted(post: Post) -> None:
    person = await post.service.register()
    token = await post.token("verify-email")
    assert (await person.get("/v1/me")).json()["user"]["email_verified_at"] is None
    assert (await post.service.http.post("/v1/auth/email/verify", json={"token": token})).status_code == 204
    assert (await person.get("/v1/me")).json()["user"]["email_verified_at"] is not None
    assert (await post.mail("welcome"))["to"] == [person.email]
    again = await post.service.http.post("/v1/auth/email/verify", json={"token": token})
    assert_problem(again, 410, "link_used")


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/v1/sessions/not-me", "new-device"),
        ("/v1/auth/password/reset", "reset-password"),
        ("/v1/auth/email/verify", "verify-email"),
    ],
)
async def test_a_link_is_good_for_what_it_is_for_and_nothing_else(post: Post, path: str, template: str) -> None:
    person = await post.service.register()
    await post.service.login(person.email, user_agent=SAFARI_ON_IPHONE)
    await post.service.http.post("/v1/auth/password/forgot", json={"email": person.email})

    async def use(token: str) -> Any:
        return await post.service.http.post(path, json={"token": token, "password": "a new one entirely"})

    token = await post.token(template)
    for other in {"new-device", "reset-password", "verify-email"} - {template}:
        assert_problem(await use(await post.token(other)), 404, "link_invalid")
    for place in range(len(token)):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert_problem(await use(changed), 404, "link_invalid")
    for nonsense in ("", "x", token + "A", token[:-1], token + "=", " " + token, "ä" * 43, "\0" * 43):
        assert_problem(await use(nonsense), 404, "link_invalid")

    await post.service.sql.execute("update gatepost.security.link_tokens set expires_at = now()")
    assert_problem(await use(token), 410, "link_expired")
    await post.service.sql.execute("update gatepost.security.link_tokens set expires_at = now() + interval '1 minute'")
    assert (await use(token)).is_success


async def test_a_hundred_scanners_change_nothing(post: Post) -> None:
    person = await post.service.register()
    await post.service.login(person.email, user_agent=SAFARI_ON_IPHONE)
    mail = await post.mail("new-device")
    for url in set(re.findall(rf"{PAGES}(/[^\s\"<]*)", mail["text"] + mail["html"])):
        for _ in range(100):
            await post.service.http.get(url)
    assert (await person.get("/v1/me")).status_code == 200
    assert (
        await post.service.sql.fetchval("select count(*) from gatepost.security.link_tokens where used_at is not null")
        == 0
    )


async def test_nobody_but_the_recipient_can_use_a_link(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    person = await post.service.register()
    await post.service.login(person.email, user_agent=SAFARI_ON_IPHONE)
    await post.service.http.post("/v1/auth/password/forgot", json={"email": person.email})
    tokens = [await post.token(each) for each in ("new-device", "reset-password", "verify-email")]
    everything = ""
    tables = await post.service.sql.fetch("select tablename from pg_tables where schemaname = 'gatepost'")
    for table in tables:
        rows = await post.service.sql.fetch(f"select t::text as row from gatepost.{table['tablename']} t")
        everything += "\n".join(row["row"] for row in rows)
    boss = await post.service.register()
    await post.service.sql.execute("update gatepost.users set role = 'admin' where id = $1", boss.user_id)
    for email in (await boss.get("/v1/emails")).json()["items"]:
        everything += (await boss.get(f"/v1/emails/{email['id']}")).text
    assert "masked-" in everything
    for token in tokens:
        assert token not in everything
        assert token not in caplog.text


async def test_a_mark_in_another_mail_stays_a_mark(post: Post) -> None:
    """Whoever may queue mail cannot have it turned into somebody's link."""
    person = await post.service.register()
    await post.mail("verify-email")
    link = await post.service.sql.fetchval("select id from gatepost.security.link_tokens")
    variables = json.dumps({"name": f"masked-{link.hex}", "login_url": f"https://x.com/masked-{link.hex}"})
    query = "select gatepost.queue_email('welcome', 'eve@acme.com', $1)"
    row = await status_of(post.service, str(await post.service.sql.fetchval(query, variables)), "sent", "delivered")
    sent = post.resend.books.find(row["provider_id"])
    assert sent is not None
    assert f"masked-{link.hex}" in sent.payload["text"]
    assert person.email


async def test_staff_may_tell_and_a_stolen_token_always_does(post: Post) -> None:
    person = await post.service.register()
    other = await post.service.login(person.email, user_agent=CHROME_ON_WINDOWS)
    boss = await post.service.register()
    await post.service.sql.execute("update gatepost.users set role = 'admin' where id = $1", boss.user_id)
    await boss.delete(f"/v1/admin/sessions/{other.id}?reason=lost&notify=true")
    mail = await post.mail("session-revoked")
    assert "Chrome on Windows" in mail["text"]
    assert "Signed out by an administrator" in mail["text"]
    third = await post.service.login(person.email, user_agent=CHROME_ON_WINDOWS)
    await boss.delete(f"/v1/admin/sessions/{third.id}?reason=lost")
    await boss.delete(f"/v1/admin/users/{person.user_id}/sessions?reason=lost&notify=true")
    assert await post.count("session-revoked") == 2

    stolen = await post.service.login(person.email)
    first = stolen.refresh_token
    await stolen.refresh()
    await stolen.refresh()
    await post.service.http.post("/v1/auth/refresh", json={"refresh_token": first})
    assert "used twice" in (await post.mail("suspicious-refresh"))["text"]


async def test_in_the_language_of_the_person(post: Post) -> None:
    headers = {"Accept-Language": "fr;q=0.2, de-AT, en;q=0.9"}
    form = {"email": "ada@example.com", "password": PASSWORD}
    answer = await post.service.http.post("/v1/auth/register", json=form, headers=headers)
    person = Device(post.service.http, form["email"], answer.json())
    await post.service.http.post("/v1/auth/password/forgot", json={"email": person.email})
    assert (await post.mail("reset-password"))["row"]["locale"] == "de"
    assert "1 Stunde" in (await post.mail("reset-password"))["text"]
    await post.service.sql.execute("""update gatepost.users set user_metadata = '{"locale": "en"}'""")
    await post.service.http.post("/v1/auth/password/forgot", json={"email": person.email})
    assert (await post.mail("reset-password", 2))["row"]["locale"] == "en"


async def test_what_security_mail_of_an_application_held_is_erased_once_it_is_settled(post: Post) -> None:
    values = json.dumps({"reset_url": "https://acme.com/reset?code=s3cret", "expires_in": "1 hour"})
    query = "select gatepost.queue_email('reset-password', 'ada@acme.com', $1)"
    row = await status_of(post.service, str(await post.service.sql.fetchval(query, values)), "sent", "delivered")
    assert (row["payload"], row["variables"]) == (None, "{}")
    assert "s3cret" in post.resend.books[-1].payload["text"]
