"""Who one is: registering, signing in, refreshing, signing out, passwords."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import jwt
import pytest
from tests.support import PASSWORD, Service, assert_problem, running_service


async def test_register_signs_in_on_this_device(service: Service) -> None:
    answer = await service.http.post("/v1/auth/register", json={"email": "Ada@Example.com", "password": PASSWORD})
    assert answer.status_code == 201
    body = answer.json()
    assert body["token_type"] == "bearer"
    assert body["expires_in"] == 900
    assert body["evicted"] == []
    assert body["session"]["current"] is True

    me = await service.http.get("/v1/me", headers={"Authorization": f"Bearer {body['access_token']}"})
    assert me.status_code == 200
    assert me.json()["user"]["email"] == "ada@example.com"
    assert me.json()["user"]["role"] == "user"
    assert me.json()["session"]["id"] == body["session"]["id"]


async def test_an_address_has_one_account_whatever_its_case(service: Service) -> None:
    await service.register(email="ada@example.com")
    again = await service.http.post("/v1/auth/register", json={"email": "ADA@example.com", "password": PASSWORD})
    assert_problem(again, 409, "conflict")
    await service.login("aDa@eXample.com")


async def test_closed_registration_refuses(database_url: str) -> None:
    async with running_service(database_url, registration="closed") as service:
        answer = await service.http.post("/v1/auth/register", json={"email": "a@example.com", "password": PASSWORD})
        assert_problem(answer, 403, "forbidden")


@pytest.mark.parametrize(
    "form",
    [
        {"email": "nobody", "password": PASSWORD},
        {"email": "a@example.com", "password": "short"},
        {"email": "a@example.com", "password": "x" * 257},
        {"email": "a@example.com"},
        {"email": "a@example.com", "password": PASSWORD, "transport": "pigeon"},
        {"email": "a@example.com", "password": PASSWORD, "device_name": "x" * 101},
        [],
        None,
    ],
)
async def test_a_malformed_form_is_refused_without_repeating_the_password(service: Service, form: Any) -> None:
    answer = await service.http.post("/v1/auth/register", json=form)
    problem = assert_problem(answer, 422, "validation_failed")
    assert problem["errors"]
    assert all(set(error) == {"loc", "msg", "type"} for error in problem["errors"])
    assert PASSWORD not in answer.text


async def test_wrong_password_and_unknown_person_are_told_alike(service: Service) -> None:
    person = await service.register()
    wrong = await service.http.post("/v1/auth/login", json={"email": person.email, "password": "wrong password"})
    unknown = await service.http.post("/v1/auth/login", json={"email": "nobody@example.com", "password": PASSWORD})
    first, second = (
        assert_problem(wrong, 401, "invalid_credentials"),
        assert_problem(unknown, 401, "invalid_credentials"),
    )
    assert first | {"request_id": ""} == second | {"request_id": ""}


async def test_an_unknown_person_takes_as_much_hashing_as_a_known_one(service: Service) -> None:
    """Counted in processor time of the hashing threads, which other load on the machine does not change much."""
    person = await service.register()

    async def cost(email: str) -> float:
        costs = []
        for _ in range(5):
            began = time.process_time()
            answer = await service.http.post("/v1/auth/login", json={"email": email, "password": "wrong password"})
            costs.append(time.process_time() - began)
            assert answer.status_code == 401
        return min(costs)

    known, unknown = await cost(person.email), await cost("nobody@example.com")
    assert 0.5 < unknown / known < 2


async def test_the_access_token_has_the_claims_of_supabase_auth(service: Service) -> None:
    person = await service.register()
    keys = jwt.PyJWKSet.from_dict((await service.http.get("/.well-known/jwks.json")).json())
    header = jwt.get_unverified_header(person.access_token)
    assert header["alg"] == "ES256"
    key = keys[header["kid"]]
    claims = jwt.decode(person.access_token, key, algorithms=["ES256"], audience="authenticated")
    assert claims["iss"] == "http://localhost/v1/auth"
    assert claims["sub"] == str(person.user_id)
    assert claims["session_id"] == person.id
    assert claims["role"] == "authenticated"
    assert claims["aal"] == "aal1"
    assert claims["amr"][0]["method"] == "password"
    assert claims["email"] == person.email
    assert claims["is_anonymous"] is False
    assert claims["user_metadata"] == {}
    assert claims["app_metadata"]["role"] == "user"
    assert claims["exp"] - claims["iat"] == 900


async def test_the_issuer_is_below_the_public_url(database_url: str) -> None:
    async with running_service(database_url, public_url="https://app.example.com/account/") as service:
        person = await service.register()
        claims = jwt.decode(person.access_token, options={"verify_signature": False})
        assert claims["iss"] == "https://app.example.com/account/v1/auth"


async def test_the_public_keys_may_be_cached_and_hold_no_secret(service: Service) -> None:
    answer = await service.http.get("/.well-known/jwks.json")
    assert answer.headers["cache-control"] == "public, max-age=600"
    [key] = answer.json()["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}


async def test_a_refresh_token_works_once_and_gives_its_successor(service: Service) -> None:
    person = await service.register()
    first = person.refresh_token
    answer = await person.refresh()
    assert answer.status_code == 200
    assert person.refresh_token != first
    assert person.answer["session"]["id"] == answer.json()["session"]["id"]
    assert (await person.get("/v1/me")).status_code == 200
    assert (await person.refresh()).status_code == 200


async def test_a_replay_within_the_grace_gets_the_same_successor(service: Service) -> None:
    person = await service.register()
    form = {"refresh_token": person.refresh_token}
    once, again = [await service.http.post("/v1/auth/refresh", json=form) for _ in range(2)]
    assert once.status_code == again.status_code == 200
    assert once.json()["refresh_token"] == again.json()["refresh_token"]


async def test_a_replay_after_the_grace_ends_the_session_for_good(service: Service) -> None:
    person = await service.register()
    stolen = {"refresh_token": person.refresh_token}
    await person.refresh()
    await service.sql.execute("update gatepost.refresh_tokens set rotated_at = rotated_at - interval '11 s'")

    assert_problem(await service.http.post("/v1/auth/refresh", json=stolen), 401, "refresh_token_reused")
    problem = assert_problem(await person.get("/v1/me"), 401, "session_revoked")
    assert problem["reason"] == "refresh_token_reused"
    assert_problem(await person.refresh(), 401, "session_revoked")


async def test_a_replay_whose_successor_was_used_is_theft_even_within_the_grace(service: Service) -> None:
    person = await service.register()
    stolen = {"refresh_token": person.refresh_token}
    await person.refresh()
    await person.refresh()
    assert_problem(await service.http.post("/v1/auth/refresh", json=stolen), 401, "refresh_token_reused")
    assert_problem(await person.get("/v1/me"), 401, "session_revoked")


@pytest.mark.parametrize(
    "mangle", [lambda t: t[:-1] + ("A" if t[-1] != "A" else "B"), lambda _: "gpr_", lambda t: t * 3]
)
async def test_a_made_up_refresh_token_ends_nothing(service: Service, mangle: Any) -> None:
    person = await service.register()
    answer = await service.http.post("/v1/auth/refresh", json={"refresh_token": mangle(person.refresh_token)})
    assert_problem(answer, 401, "token_invalid")
    assert (await person.get("/v1/me")).status_code == 200


async def test_refreshing_with_nothing_is_not_authenticated(service: Service) -> None:
    assert_problem(await service.http.post("/v1/auth/refresh"), 401, "not_authenticated")
    assert_problem(await service.http.post("/v1/auth/refresh", json={}), 401, "not_authenticated")


async def test_the_database_keeps_no_token_that_could_be_used(service: Service) -> None:
    person = await service.register()
    first = person.refresh_token
    await person.refresh()
    dump = str(await service.sql.fetch("select t::text from gatepost.refresh_tokens t"))
    dump += str(await service.sql.fetch("select s::text from gatepost.sessions s"))
    dump += str(await service.sql.fetch("select u::text from gatepost.users u"))
    for secret in (first, person.refresh_token, person.access_token, PASSWORD):
        assert secret not in dump
        assert secret.encode().hex() not in dump


@pytest.mark.parametrize("by", ["bearer", "refresh token"])
async def test_logging_out_ends_the_session(service: Service, by: str) -> None:
    person = await service.register()
    if by == "bearer":
        answer = await person.post("/v1/auth/logout")
    else:
        answer = await service.http.post("/v1/auth/logout", json={"refresh_token": person.refresh_token})
    assert answer.status_code == 204
    assert assert_problem(await person.get("/v1/me"), 401, "session_revoked")["reason"] == "signed_out"
    assert_problem(await person.refresh(), 401, "session_revoked")


async def test_logging_out_without_a_session_is_fine(service: Service) -> None:
    assert (await service.http.post("/v1/auth/logout")).status_code == 204
    assert (await service.http.post("/v1/auth/logout", json={"refresh_token": "nonsense"})).status_code == 204
    bearer = {"Authorization": "Bearer nonsense"}
    assert (await service.http.post("/v1/auth/logout", headers=bearer)).status_code == 204


async def test_changing_the_password_signs_out_the_other_devices(service: Service) -> None:
    here = await service.register()
    there = await service.login(here.email)
    form = {"current_password": PASSWORD, "new_password": "a new long password"}
    assert (await here.post("/v1/auth/password/change", form)).status_code == 204

    assert (await here.get("/v1/me")).status_code == 200
    assert assert_problem(await there.get("/v1/me"), 401, "session_revoked")["reason"] == "password_changed"
    old = await service.http.post("/v1/auth/login", json={"email": here.email, "password": PASSWORD})
    assert_problem(old, 401, "invalid_credentials")
    await service.login(here.email, password="a new long password")


async def test_changing_the_password_needs_the_current_one(service: Service) -> None:
    person = await service.register()
    form = {"current_password": "wrong password", "new_password": "a new long password"}
    assert_problem(await person.post("/v1/auth/password/change", form), 401, "invalid_credentials")
    await service.login(person.email)


async def test_reauthenticating_takes_the_right_password(service: Service) -> None:
    person = await service.register()
    assert_problem(await person.post("/v1/auth/reauthenticate", {"password": "wrong"}), 401, "invalid_credentials")
    assert (await person.post("/v1/auth/reauthenticate", {"password": PASSWORD})).status_code == 204


async def test_an_older_hash_is_made_anew_at_sign_in(service: Service) -> None:
    from argon2 import PasswordHasher

    person = await service.register()
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    await service.sql.execute("update gatepost.users set password_hash = $1", weak)
    await asyncio.gather(*(service.login(person.email) for _ in range(4)))
    assert "m=19456,t=2,p=1" in await service.sql.fetchval("select password_hash from gatepost.users")
    await service.login(person.email)


async def test_guessing_is_slowed_down_outside_tests(database_url: str) -> None:
    async with running_service(database_url, environment="development") as service:
        person = await service.register()

        async def guess(email: str, password: str = "wrong password") -> httpx.Response:
            return await service.http.post("/v1/auth/login", json={"email": email, "password": password})

        for _ in range(10):
            assert_problem(await guess(person.email), 401, "invalid_credentials")
        refused = await guess(person.email, PASSWORD)
        assert_problem(refused, 429, "rate_limited")
        assert 0 < int(refused.headers["retry-after"]) <= 300
        other = await service.register()
        assert (await guess(other.email, PASSWORD)).status_code == 200


async def test_many_guesses_at_once_get_no_further(database_url: str) -> None:
    async with running_service(database_url, environment="development") as service:
        person = await service.register()
        form = {"email": person.email, "password": "wrong password"}
        answers = await asyncio.gather(*(service.http.post("/v1/auth/login", json=form) for _ in range(40)))
        assert sorted(answer.status_code for answer in answers) == [401] * 10 + [429] * 30


async def test_the_right_password_is_not_counted(database_url: str) -> None:
    async with running_service(database_url, environment="development") as service:
        person = await service.register()
        for _ in range(12):
            await service.login(person.email)


async def test_registering_is_limited_by_address(database_url: str) -> None:
    async with running_service(database_url, environment="development") as service:
        for _ in range(30):
            await service.register()
        form = {"email": "one.more@example.com", "password": PASSWORD}
        assert_problem(await service.http.post("/v1/auth/register", json=form), 429, "rate_limited")


async def test_the_first_start_makes_the_admin(database_url: str) -> None:
    given = {"admin_email": "boss@example.com", "admin_password": PASSWORD}
    async with running_service(database_url, **given) as service:
        boss = await service.login("boss@example.com")
        assert (await boss.get("/v1/me")).json()["user"]["role"] == "admin"
    async with running_service(database_url, **given) as service:
        await service.login("boss@example.com")
