"""Someone registers an email address that is not theirs, and waits for its owner to confirm it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support import PASSWORD, Device, Service, assert_problem
from tests.support.mail import MailService, running_mail_service

_OWN = "the password of the owner"


async def _confirm(service: Service, token: str, device: Device | None = None) -> dict[str, object]:
    body = {"token": token}
    send = (
        device.post("/v1/auth/email/verify", body) if device else service.http.post("/v1/auth/email/verify", json=body)
    )
    response = await send
    assert response.status_code == 200, response.text
    confirmed: dict[str, object] = response.json()
    return confirmed


async def test_the_attacker_who_registered_an_address_is_out_once_its_owner_confirms_it(
    mail_service: MailService,
) -> None:
    attacker = await mail_service.register()
    other = await mail_service.login(attacker.email)
    token = await mail_service.link_token("verify-email")

    confirmed = await _confirm(mail_service, token)
    assert confirmed["revoked"] == 2
    for device in (attacker, other):
        assert_problem(await device.get("/v1/me"), 401, "session_revoked")
        assert_problem(await device.refresh(), 401, "session_revoked")
    # Their password does not let them in again, even before the owner has set one.
    form = {"email": attacker.email, "password": PASSWORD}
    assert_problem(await mail_service.http.post("/v1/auth/login", json=form), 401, "invalid_credentials")

    reset = {"token": confirmed["reset_token"], "password": _OWN}
    assert (await mail_service.http.post("/v1/auth/password/reset", json=reset)).status_code == 204
    owner = await mail_service.login(attacker.email, password=_OWN)
    assert (await owner.get("/v1/me")).json()["user"]["email_verified_at"] is not None
    assert_problem(await mail_service.http.post("/v1/auth/password/reset", json=reset), 410, "link_used")


async def test_confirming_voids_a_reset_link_that_was_sent_before(mail_service: MailService) -> None:
    attacker = await mail_service.register()
    await mail_service.http.post("/v1/auth/password/forgot", json={"email": attacker.email})
    reset = {"token": await mail_service.link_token("reset-password"), "password": _OWN}
    await _confirm(mail_service, await mail_service.link_token("verify-email"))
    assert_problem(await mail_service.http.post("/v1/auth/password/reset", json=reset), 410, "link_voided")


async def test_confirming_in_the_session_that_registered_changes_nothing_else(mail_service: MailService) -> None:
    user = await mail_service.register()
    other = await mail_service.login(user.email)
    token = await mail_service.link_token("verify-email")
    assert await _confirm(mail_service, token, user) == {"revoked": 0, "reset_token": None}
    for device in (user, other):
        assert (await device.get("/v1/me")).json()["user"]["email_verified_at"] is not None
    await mail_service.login(user.email)


async def test_a_browser_that_registered_confirms_by_its_cookies(mail_service: MailService) -> None:
    form = {"email": "ada@example.com", "password": PASSWORD, "transport": "cookie"}
    async with mail_service.browser() as browser:
        assert (await browser.post("/v1/auth/register", json=form)).status_code == 201
        # The access cookie expires while the email is read; the refresh cookie shows the session.
        browser.cookies.delete("gatepost")
        token = await mail_service.link_token("verify-email")
        response = await browser.post("/v1/auth/email/verify", json={"token": token})
        assert response.json() == {"revoked": 0, "reset_token": None}
        assert (await browser.post("/v1/auth/refresh", json={})).status_code == 200


@pytest.mark.parametrize("which", ["a later session", "an ended one", "another user's", "another site"])
async def test_no_other_session_counts_as_the_one_that_registered(mail_service: MailService, which: str) -> None:
    user = await mail_service.register()
    token = await mail_service.link_token("verify-email")
    if which == "another site":
        form = {"email": user.email, "password": PASSWORD, "transport": "cookie"}
        async with mail_service.browser() as browser:
            await browser.post("/v1/auth/login", json=form)
            session_id = await mail_service.sql.fetchval("select id from gatepost.sessions order by created_at desc")
            update = "update gatepost.users set registration_session_id = $1"
            await mail_service.sql.execute(update, session_id)
            headers = {"Origin": "https://evil.example"}
            response = await browser.post("/v1/auth/email/verify", json={"token": token}, headers=headers)
            confirmed = response.json()
    else:
        device = await mail_service.register() if which == "another user's" else user
        if which == "a later session":
            device = await mail_service.login(user.email)
        elif which == "an ended one":
            await mail_service.sql.execute("update gatepost.sessions set ended_at = now(), end_reason = 'evicted'")
        confirmed = await _confirm(mail_service, token, device)
    assert confirmed["reset_token"] is not None
    form = {"email": user.email, "password": PASSWORD}
    assert_problem(await mail_service.http.post("/v1/auth/login", json=form), 401, "invalid_credentials")


async def test_a_token_that_is_none_is_no_session_and_an_expired_one_has_to_be_refreshed(database_url: str) -> None:
    async with running_mail_service(database_url, access_token_ttl=timedelta(milliseconds=1)) as service:
        user = await service.register()
        body = {"token": await service.link_token("verify-email")}
        assert_problem(await user.post("/v1/auth/email/verify", body), 401, "token_expired")
        forged = Device(user.http, user.email, user.sign_in | {"access_token": "forged"})
        assert (await _confirm(service, body["token"], forged))["reset_token"] is not None
