"""`REGISTRATION=confirm`: registering does not show whether an email address has an account."""

from __future__ import annotations

import asyncio

import httpx

from tests.support import PASSWORD, assert_problem, running_service
from tests.support.mail import MailService, running_mail_service


async def _register(service: MailService, email: str, **extra: object) -> httpx.Response:
    return await service.http.post("/v1/auth/register", json={"email": email, **extra})


async def test_new_and_existing_addresses_get_the_same_answer_and_different_emails(database_url: str) -> None:
    async with running_mail_service(database_url, registration="confirm") as service:
        new = await _register(service, "ada@example.com", password=PASSWORD)
        assert new.status_code == 202
        token = await service.link_token("verify-email")
        # No session was opened, and the password that was sent lets nobody in.
        assert "set-cookie" not in new.headers
        form = {"email": "ada@example.com", "password": PASSWORD}
        assert_problem(await service.http.post("/v1/auth/login", json=form), 401, "invalid_credentials")

        confirmed = await service.http.post("/v1/auth/email/verify", json={"token": token})
        reset = {"token": confirmed.json()["reset_token"], "password": PASSWORD}
        assert (await service.http.post("/v1/auth/password/reset", json=reset)).status_code == 204
        await service.login("ada@example.com")

        existing = await _register(service, "ADA@example.com", password=PASSWORD)
        assert (existing.status_code, existing.content) == (new.status_code, new.content) == (202, b"")
        volatile = {"date", "x-request-id"}
        names = [
            {name: each.headers[name] for name in each.headers if name not in volatile} for each in (new, existing)
        ]
        assert names[0] == names[1]
        email = await service.sent_email("account-exists")
        assert email["to"] == ["ada@example.com"]
        assert "/login" in email["text"]
        reset = {"token": await service.link_token("account-exists"), "password": "another one entirely"}
        assert (await service.http.post("/v1/auth/password/reset", json=reset)).status_code == 204
        assert await service.count_emails("verify-email") == 1


async def test_an_unconfirmed_address_gets_its_link_again_and_none_gets_more_than_five(database_url: str) -> None:
    async with running_mail_service(database_url, registration="confirm") as service:
        responses = await asyncio.gather(*(_register(service, "ada@example.com") for _ in range(8)))
        assert {each.status_code for each in responses} == {202}
        assert await service.count_emails("verify-email") == 5
        await service.sql.execute("update gatepost.users set email_verified_at = now()")
        await asyncio.gather(*(_register(service, "ada@example.com") for _ in range(8)))
        assert await service.count_emails("account-exists") == 5
        await service.sql.execute("update gatepost.users set disabled_at = now()")
        await service.sql.execute("delete from gatepost.links")
        assert (await _register(service, "ada@example.com")).status_code == 202
        assert await service.count_emails("account-exists") == 5


async def test_the_email_about_an_existing_account_is_in_the_users_language(database_url: str) -> None:
    async with running_mail_service(database_url, registration="confirm") as service:
        await service.http.post(
            "/v1/auth/register", json={"email": "ada@example.com"}, headers={"Accept-Language": "de"}
        )
        await service.sql.execute("update gatepost.users set email_verified_at = now()")
        await _register(service, "ada@example.com")
        email = await service.sent_email("account-exists")
        assert email["row"]["locale"] == "de"
        assert email["subject"] == "Sie haben bereits ein Konto bei Gatepost"


async def test_the_page_learns_who_can_register(database_url: str) -> None:
    for value in ("open", "confirm", "closed"):
        async with running_service(database_url, registration=value) as service:
            response = await service.http.get("/v1/auth/registration")
            assert response.json() == {"registration": value}


async def test_open_registration_needs_a_password_and_still_says_that_an_account_exists(
    mail_service: MailService,
) -> None:
    problem = assert_problem(await _register(mail_service, "ada@example.com"), 422, "validation_failed")
    assert problem["errors"][0]["loc"] == ["body", "password"]
    assert (await _register(mail_service, "ada@example.com", password=PASSWORD)).status_code == 201
    assert_problem(await _register(mail_service, "ada@example.com", password=PASSWORD), 409, "conflict")
