"""Links outlive nothing: a new password voids those that could set another one."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest

from gatepost.accounts import store
from tests.support import PASSWORD, SAFARI_ON_IPHONE, Device, assert_problem
from tests.support.mail import MailService

_NEW = "a new one entirely"
_OTHER = "yet another one"


async def _forgot(service: MailService, user: Device, number: int = 1) -> str:
    await service.http.post("/v1/auth/password/forgot", json={"email": user.email})
    return await service.link_token("reset-password", number)


async def _reset(service: MailService, token: str, password: str = _NEW) -> httpx.Response:
    return await service.http.post("/v1/auth/password/reset", json={"token": token, "password": password})


async def _change(user: Device, password: str = _NEW) -> None:
    form = {"current_password": PASSWORD, "new_password": password}
    assert (await user.post("/v1/auth/password/change", form)).status_code == 204


async def _not_me(service: MailService, token: str) -> dict[str, Any]:
    response = await service.http.post("/v1/sessions/not-me", json={"token": token})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


async def _log_in(service: MailService, user: Device, password: str) -> int:
    form = {"email": user.email, "password": password}
    return (await service.http.post("/v1/auth/login", json=form)).status_code


async def test_a_second_reset_link_does_not_work_after_the_first(mail_service: MailService) -> None:
    user = await mail_service.register_confirmed()
    first, second = await _forgot(mail_service, user), await _forgot(mail_service, user, 2)
    assert (await _reset(mail_service, first)).status_code == 204
    problem = assert_problem(await _reset(mail_service, second, _OTHER), 410, "link_voided")
    assert problem["detail"].endswith("Request a new one.")
    assert await _log_in(mail_service, user, _NEW) == 200
    # One that was requested afterwards works.
    assert (await _reset(mail_service, await _forgot(mail_service, user, 3), _OTHER)).status_code == 204


async def test_of_two_reset_links_that_are_used_at_once_one_works(mail_service: MailService) -> None:
    user = await mail_service.register_confirmed()
    tokens = [await _forgot(mail_service, user), await _forgot(mail_service, user, 2)]
    responses = await asyncio.gather(*(_reset(mail_service, token) for token in tokens * 3))
    assert sorted(each.status_code for each in responses) == [204] + [410] * 5


async def test_a_password_change_voids_reset_links(mail_service: MailService) -> None:
    user = await mail_service.register_confirmed()
    token = await _forgot(mail_service, user)
    await _change(user)
    assert_problem(await _reset(mail_service, token, _OTHER), 410, "link_voided")
    assert await _log_in(mail_service, user, _NEW) == 200


async def test_a_not_me_report_voids_reset_links_except_the_one_it_returns(mail_service: MailService) -> None:
    user = await mail_service.register_confirmed()
    token = await _forgot(mail_service, user)
    await mail_service.login(user.email, user_agent=SAFARI_ON_IPHONE)
    reported = await _not_me(mail_service, await mail_service.link_token("new-device"))
    assert_problem(await _reset(mail_service, token), 410, "link_voided")
    assert (await _reset(mail_service, reported["reset_token"])).status_code == 204


async def test_disabling_a_user_voids_reset_links(mail_service: MailService) -> None:
    user, admin = await mail_service.register_confirmed(), await mail_service.register_admin()
    token = await _forgot(mail_service, user)
    path = f"/v1/admin/users/{user.user_id}"
    assert (await admin.post(f"{path}/disable", {"reason": "test"})).is_success
    assert_problem(await _reset(mail_service, token), 410, "link_voided")
    assert (await admin.post(f"{path}/enable", {"reason": "test"})).is_success
    assert_problem(await _reset(mail_service, token), 410, "link_voided")


async def test_a_new_hash_of_the_same_password_voids_nothing(mail_service: MailService) -> None:
    user = await mail_service.register_confirmed()
    token = await _forgot(mail_service, user)
    await mail_service.sql.execute("update gatepost.users set password_hash = password_hash || ''")
    assert (await _reset(mail_service, token)).status_code == 204


@pytest.mark.parametrize("event", ["change", "reset", "a day"])
async def test_an_old_not_me_link_ends_sessions_and_grants_nothing(mail_service: MailService, event: str) -> None:
    user = await mail_service.register_confirmed()
    await mail_service.login(user.email, user_agent=SAFARI_ON_IPHONE)
    token = await mail_service.link_token("new-device")
    if event == "change":
        await _change(user)
    elif event == "reset":
        assert (await _reset(mail_service, await _forgot(mail_service, user))).status_code == 204
    else:
        ago = "update gatepost.links set created_at = created_at - interval '25 hours'"
        await mail_service.sql.execute(ago)
    device = await mail_service.login(user.email, password=PASSWORD if event == "a day" else _NEW)

    reported = await _not_me(mail_service, token)
    assert reported["revoked"] >= 1
    assert reported["reset_token"] is None
    assert assert_problem(await device.get("/v1/me"), 401, "session_revoked")["reason"] == "not_me"
    # A password that came by an emailed link is the owner's. Any other one may be the intruder's.
    assert await _log_in(mail_service, user, _NEW) == (200 if event == "reset" else 401)
    assert await _log_in(mail_service, user, PASSWORD) == 401


async def test_a_not_me_link_after_an_intruder_changed_the_password_locks_them_out(mail_service: MailService) -> None:
    user = await mail_service.register_confirmed()
    intruder = await mail_service.login(user.email, user_agent=SAFARI_ON_IPHONE)
    token = await mail_service.link_token("new-device")
    await _change(intruder)
    assert (await _not_me(mail_service, token))["reset_token"] is None
    assert await _log_in(mail_service, user, _NEW) == 401
    assert (await _reset(mail_service, await _forgot(mail_service, user), _OTHER)).status_code == 204
    assert await _log_in(mail_service, user, _OTHER) == 200


async def test_everything_that_sets_a_password_can_happen_at_once(mail_service: MailService) -> None:
    """No deadlock, one new password, and no session of an old one."""
    admin = await mail_service.register_admin()
    for number in range(1, 4):
        user = await mail_service.register_confirmed()
        await mail_service.login(user.email, user_agent=SAFARI_ON_IPHONE)
        tokens = [await _forgot(mail_service, user, number * 2 - 1), await _forgot(mail_service, user, number * 2)]
        report = {"token": await mail_service.link_token("new-device", number)}
        confirm = {"token": await mail_service.link_token("verify-email", number + 1)}
        form = {"email": user.email, "password": PASSWORD}
        responses = await asyncio.gather(
            user.post("/v1/auth/password/change", {"current_password": PASSWORD, "new_password": "changed it"}),
            *(_reset(mail_service, token, f"reset it {index}") for index, token in enumerate(tokens)),
            mail_service.http.post("/v1/sessions/not-me", json=report),
            mail_service.http.post("/v1/auth/email/verify", json=confirm),
            mail_service.http.post("/v1/auth/password/forgot", json={"email": user.email}),
            *(mail_service.http.post("/v1/auth/login", json=form) for _ in range(3)),
            admin.delete(f"/v1/admin/users/{user.user_id}/sessions?reason=test"),
        )
        assert [each.text for each in responses if each.status_code >= 500] == []
        # At most one of the links worked: each of them voids the other.
        assert sum(each.status_code == 204 for each in responses[1:3]) <= 1
        assert await _log_in(mail_service, user, PASSWORD) == 401
        query = """select count(*) from gatepost.sessions s join gatepost.users u on u.id = s.user_id
            where u.id = $1 and s.ended_at is null and s.created_at < u.password_changed_at
            and s.authenticated_at < u.password_changed_at"""
        assert await mail_service.sql.fetchval(query, user.user_id) == 0


async def test_signing_in_twice_at_once_in_two_languages_does_not_deadlock(database_url: str) -> None:
    """Each locks the password, then the user's sessions, and then stores the language of its browser."""
    first, second = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    user_id = await first.fetchval("select id from gatepost.register_user('ada@example.com', 'hash', null)")

    async def lock(connection: asyncpg.Connection[asyncpg.Record]) -> None:
        assert await store.lock_password(connection, user_id, "hash")
        await connection.execute("select gatepost.lock_sessions($1)", user_id)

    async def sign_in() -> None:
        async with second.transaction():
            await lock(second)
            await store.update_language(second, user_id, "de")

    async with first.transaction():
        await lock(first)
        other = asyncio.create_task(sign_in())
        while not await first.fetchval("select exists (select from pg_locks where not granted)"):
            assert not other.done()
        await store.update_language(first, user_id, "en")
    await other
    assert await first.fetchval("select locale from gatepost.users") == "de"
    await first.close()
    await second.close()


async def test_a_link_of_a_disabled_user_grants_nothing(mail_service: MailService) -> None:
    user = await mail_service.register_confirmed()
    await mail_service.login(user.email, user_agent=SAFARI_ON_IPHONE)
    confirm, report = await mail_service.link_token("verify-email"), await mail_service.link_token("new-device")
    await mail_service.sql.execute("update gatepost.users set disabled_at = now()")
    confirmed = await mail_service.http.post("/v1/auth/email/verify", json={"token": confirm})
    assert confirmed.json() == {"revoked": 2, "reset_token": None}
    assert await _not_me(mail_service, report) == {"revoked": 0, "reset_token": None}
    await mail_service.http.post("/v1/auth/password/forgot", json={"email": user.email})
    assert await mail_service.count_emails("reset-password") == 0


async def test_password_events_are_audited_with_their_ip_address(mail_service: MailService) -> None:
    user = await mail_service.register_confirmed()
    await user.post("/v1/auth/email/verify", {"token": await mail_service.link_token("verify-email")})
    await _change(user)
    assert (await _reset(mail_service, await _forgot(mail_service, user), _OTHER)).status_code == 204
    rows = await mail_service.sql.fetch(
        """select actor, action, host(ip) as ip from gatepost.audit_log
        where target = $1 and action ~ '^(user|email|password)[.]' order by id""",
        f"user:{user.user_id}",
    )
    own = f"user:{user.user_id}"
    assert [tuple(row) for row in rows] == [
        (own, "user.registered", "127.0.0.1"),
        (own, "email.confirmed", "127.0.0.1"),
        (own, "password.changed", "127.0.0.1"),
        ("anonymous", "password.reset_requested", "127.0.0.1"),
        (own, "password.reset", "127.0.0.1"),
    ]
