"""Races, as real concurrency on the real database."""

from __future__ import annotations

import asyncio

import httpx
from tests.support import PASSWORD, Service, assert_problem

ACTIVE = "select count(*) from gatepost.sessions where user_id = $1 and ended_at is null"


async def test_fifty_sign_ins_at_once_leave_five(service: Service) -> None:
    person = await service.register()
    devices = await asyncio.gather(*(service.login(person.email) for _ in range(50)))
    assert await service.sql.fetchval(ACTIVE, person.user_id) == 5

    evicted = [session["id"] for device in devices for session in device.answer["evicted"]]
    assert len(evicted) == len(set(evicted)) == 46
    answers = await asyncio.gather(*(device.get("/v1/me") for device in devices))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [401] * 45


async def test_sign_ins_of_different_people_do_not_meet(service: Service) -> None:
    people = [await service.register() for _ in range(5)]
    await asyncio.gather(*(service.login(person.email) for person in people for _ in range(6)))
    for person in people:
        assert await service.sql.fetchval(ACTIVE, person.user_id) == 5


async def test_two_tabs_refreshing_at_once_both_go_on(service: Service) -> None:
    person = await service.register()
    for _ in range(5):
        form = {"refresh_token": person.refresh_token}
        tabs = await asyncio.gather(*(service.http.post("/v1/auth/refresh", json=form) for _ in range(8)))
        assert [tab.status_code for tab in tabs] == [200] * 8
        assert len({tab.json()["refresh_token"] for tab in tabs}) == 1
        person.answer = tabs[-1].json()
    assert (await person.get("/v1/me")).status_code == 200


async def test_revoking_against_refreshing_never_leaves_a_live_session(service: Service) -> None:
    for _ in range(15):
        person = await service.register()
        phone = await service.login(person.email)
        form = {"refresh_token": phone.refresh_token}
        revoked, *refreshed = await asyncio.gather(
            person.delete(f"/v1/sessions/{phone.id}"),
            *(service.http.post("/v1/auth/refresh", json=form) for _ in range(3)),
        )
        assert revoked.status_code == 204
        tokens = [phone.access_token, *(r.json()["access_token"] for r in refreshed if r.is_success)]
        for token in tokens:
            answer = await service.http.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
            assert_problem(answer, 401, "session_revoked")
        for answer in [r for r in refreshed if r.is_success]:
            again = {"refresh_token": answer.json()["refresh_token"]}
            assert_problem(await service.http.post("/v1/auth/refresh", json=again), 401, "session_revoked")


async def test_a_sign_in_against_a_password_change_leaves_no_session_of_the_old_password(service: Service) -> None:
    for number in range(8):
        person = await service.register()
        form = {"current_password": PASSWORD, "new_password": f"another password {number}"}
        login = {"email": person.email, "password": PASSWORD}
        changed, *logins = await asyncio.gather(
            person.post("/v1/auth/password/change", form),
            *(service.http.post("/v1/auth/login", json=login) for _ in range(3)),
        )
        assert changed.status_code == 204
        assert {answer.status_code for answer in logins} <= {200, 401}
        assert await service.sql.fetchval(ACTIVE, person.user_id) == 1
        assert (await person.get("/v1/me")).status_code == 200


async def test_everything_at_once_ends_without_deadlock_or_error(service: Service) -> None:
    person = await service.register()
    devices = [person, *[await service.login(person.email) for _ in range(4)]]

    async def storm(number: int) -> list[httpx.Response]:
        device = devices[number % 5]
        login = {"email": person.email, "password": PASSWORD}
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

    answers = [answer for batch in await asyncio.gather(*(storm(n) for n in range(10))) for answer in batch]
    assert {answer.status_code for answer in answers} <= {200, 204, 401}
    assert await service.sql.fetchval(ACTIVE, person.user_id) <= 5


async def test_a_hundred_requests_at_once_note_activity_once(service: Service) -> None:
    person = await service.register()
    await service.sql.execute("update gatepost.sessions set last_active_at = now() - interval '6 minutes'")
    await service.sql.execute(
        """
        create table public.writes (at timestamptz default now());
        create function public.note() returns trigger language plpgsql
        as 'begin insert into public.writes default values; return new; end';
        create trigger note after update on gatepost.sessions for each row execute function public.note();
        """
    )
    answers = await asyncio.gather(*(person.get("/v1/me") for _ in range(100)))
    assert {answer.status_code for answer in answers} == {200}
    assert await service.sql.fetchval("select count(*) from public.writes") == 1


async def test_a_browser_signing_in_again_against_ending_the_others(service: Service) -> None:
    for _ in range(10):
        async with service.browser() as browser:
            person = await service.register()
            form = {"email": person.email, "password": PASSWORD, "transport": "cookie"}
            assert (await browser.post("/v1/auth/login", json=form)).status_code == 200
            answers = await asyncio.gather(
                browser.post("/v1/auth/login", json=form),
                person.delete("/v1/sessions"),
                person.post("/v1/auth/password/change", {"current_password": PASSWORD, "new_password": PASSWORD}),
            )
            assert {answer.status_code for answer in answers} <= {200, 204, 401}


async def test_one_address_registered_at_once_is_one_account(service: Service) -> None:
    form = {"email": "ada@example.com", "password": PASSWORD}
    answers = await asyncio.gather(*(service.http.post("/v1/auth/register", json=form) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
