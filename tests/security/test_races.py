"""Concurrent requests on the real database."""

from __future__ import annotations

import asyncio

import httpx

from tests.support import PASSWORD, Service, assert_problem

SENDS_NO_MAIL = True

ACTIVE = "select count(*) from gatepost.sessions where user_id = $1 and ended_at is null"


async def test_fifty_concurrent_sign_ins_leave_five_sessions(service: Service) -> None:
    user = await service.register()
    devices = await asyncio.gather(*(service.login(user.email) for _ in range(50)))
    assert await service.sql.fetchval(ACTIVE, user.user_id) == 5

    evicted = [session["id"] for device in devices for session in device.sign_in["evicted"]]
    assert len(evicted) == len(set(evicted)) == 46
    responses = await asyncio.gather(*(device.get("/v1/me") for device in devices))
    assert sorted(response.status_code for response in responses) == [200] * 5 + [401] * 45


async def test_concurrent_sign_ins_of_several_users_each_leave_five_sessions(service: Service) -> None:
    users = [await service.register() for _ in range(5)]
    await asyncio.gather(*(service.login(user.email) for user in users for _ in range(6)))
    for user in users:
        assert await service.sql.fetchval(ACTIVE, user.user_id) == 5


async def test_concurrent_refreshes_return_the_same_successor(service: Service) -> None:
    user = await service.register()
    for _ in range(5):
        form = {"refresh_token": user.refresh_token}
        tabs = await asyncio.gather(*(service.http.post("/v1/auth/refresh", json=form) for _ in range(8)))
        assert [tab.status_code for tab in tabs] == [200] * 8
        assert len({tab.json()["refresh_token"] for tab in tabs}) == 1
        user.sign_in = tabs[-1].json()
    assert (await user.get("/v1/me")).status_code == 200


async def test_revoking_during_refreshes_leaves_no_active_session(service: Service) -> None:
    for _ in range(15):
        user = await service.register()
        phone = await service.login(user.email)
        form = {"refresh_token": phone.refresh_token}
        revoked, *refreshed = await asyncio.gather(
            user.delete(f"/v1/sessions/{phone.id}"),
            *(service.http.post("/v1/auth/refresh", json=form) for _ in range(3)),
        )
        assert revoked.status_code == 204
        tokens = [phone.access_token, *(r.json()["access_token"] for r in refreshed if r.is_success)]
        for token in tokens:
            response = await service.http.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
            assert_problem(response, 401, "session_revoked")
        for response in [r for r in refreshed if r.is_success]:
            again = {"refresh_token": response.json()["refresh_token"]}
            assert_problem(await service.http.post("/v1/auth/refresh", json=again), 401, "session_revoked")


async def test_signing_in_during_a_password_change_leaves_no_session_of_the_old_password(service: Service) -> None:
    for number in range(8):
        user = await service.register()
        form = {"current_password": PASSWORD, "new_password": f"another password {number}"}
        login = {"email": user.email, "password": PASSWORD}
        changed, *logins = await asyncio.gather(
            user.post("/v1/auth/password/change", form),
            *(service.http.post("/v1/auth/login", json=login) for _ in range(3)),
        )
        assert changed.status_code == 204
        assert {response.status_code for response in logins} <= {200, 401}
        assert await service.sql.fetchval(ACTIVE, user.user_id) == 1
        assert (await user.get("/v1/me")).status_code == 200


async def test_all_operations_at_once_cause_no_deadlock_and_no_error(service: Service) -> None:
    user = await service.register()
    devices = [user, *[await service.login(user.email) for _ in range(4)]]

    async def all_operations(number: int) -> list[httpx.Response]:
        device = devices[number % 5]
        login = {"email": user.email, "password": PASSWORD}
        return list(
            await asyncio.gather(
                service.http.post("/v1/auth/login", json=login),
                device.delete("/v1/sessions"),
                device.delete(f"/v1/sessions/{devices[(number + 1) % 5].id}"),
                device.get("/v1/sessions?include=ended"),
                service.http.post("/v1/auth/refresh", json={"refresh_token": device.refresh_token}),
                device.post("/v1/auth/logout"),
            )
        )

    responses = [
        response for batch in await asyncio.gather(*(all_operations(n) for n in range(10))) for response in batch
    ]
    assert {response.status_code for response in responses} <= {200, 204, 401}
    assert await service.sql.fetchval(ACTIVE, user.user_id) <= 5


async def test_a_hundred_concurrent_requests_update_activity_once(service: Service) -> None:
    user = await service.register()
    await service.sql.execute("update gatepost.sessions set last_active_at = now() - interval '6 minutes'")
    await service.sql.execute(
        """
        create table public.writes (at timestamptz default now());
        grant insert on public.writes to public;
        create function public.count_write() returns trigger language plpgsql
        as 'begin insert into public.writes default values; return new; end';
        create trigger count_write after update on gatepost.sessions for each row execute function public.count_write();
        """
    )
    responses = await asyncio.gather(*(user.get("/v1/me") for _ in range(100)))
    assert {response.status_code for response in responses} == {200}
    assert await service.sql.fetchval("select count(*) from public.writes") == 1


async def test_signing_in_again_while_other_sessions_are_revoked(service: Service) -> None:
    for _ in range(10):
        async with service.browser() as browser:
            user = await service.register()
            form = {"email": user.email, "password": PASSWORD, "transport": "cookie"}
            assert (await browser.post("/v1/auth/login", json=form)).status_code == 200
            responses = await asyncio.gather(
                browser.post("/v1/auth/login", json=form),
                user.delete("/v1/sessions"),
                user.post("/v1/auth/password/change", {"current_password": PASSWORD, "new_password": PASSWORD}),
            )
            assert {response.status_code for response in responses} <= {200, 204, 401}


async def test_concurrent_registrations_of_an_email_address_create_one_account(service: Service) -> None:
    form = {"email": "ada@example.com", "password": PASSWORD}
    responses = await asyncio.gather(*(service.http.post("/v1/auth/register", json=form) for _ in range(10)))
    assert sorted(response.status_code for response in responses) == [201] + [409] * 9
