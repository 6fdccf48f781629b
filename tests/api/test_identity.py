"""Local identity: registering, signing in, refreshing, signing out, passwords."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import jwt
import pytest

from tests.support import PASSWORD, Service, assert_problem, running_service


async def test_registering_signs_in(service: Service) -> None:
    response = await service.http.post("/v1/auth/register", json={"email": "Ada@Example.com", "password": PASSWORD})
    assert response.status_code == 201
    body = response.json()
    assert body["token_type"] == "bearer"
    assert body["expires_in"] == 900
    assert body["evicted"] == []
    assert body["session"]["current"] is True

    me = await service.http.get("/v1/me", headers={"Authorization": f"Bearer {body['access_token']}"})
    assert me.status_code == 200
    assert me.json()["user"]["email"] == "ada@example.com"
    assert me.json()["user"]["role"] == "user"
    assert me.json()["session"]["id"] == body["session"]["id"]


async def test_email_addresses_are_case_insensitive(service: Service) -> None:
    await service.register(email="ada@example.com")
    again = await service.http.post("/v1/auth/register", json={"email": "ADA@example.com", "password": PASSWORD})
    assert_problem(again, 409, "conflict")
    await service.login("aDa@eXample.com")


async def test_closed_registration(database_url: str) -> None:
    async with running_service(database_url, registration="closed") as service:
        response = await service.http.post("/v1/auth/register", json={"email": "a@example.com", "password": PASSWORD})
        assert_problem(response, 403, "forbidden")


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
async def test_an_invalid_form_is_rejected_without_repeating_the_password(service: Service, form: Any) -> None:
    response = await service.http.post("/v1/auth/register", json=form)
    problem = assert_problem(response, 422, "validation_failed")
    assert problem["errors"]
    assert all(set(error) == {"loc", "msg", "type"} for error in problem["errors"])
    assert PASSWORD not in response.text


async def test_a_wrong_password_and_an_unknown_user_get_the_same_problem(service: Service) -> None:
    user = await service.register()
    wrong = await service.http.post("/v1/auth/login", json={"email": user.email, "password": "wrong password"})
    unknown = await service.http.post("/v1/auth/login", json={"email": "nobody@example.com", "password": PASSWORD})
    first, second = (
        assert_problem(wrong, 401, "invalid_credentials"),
        assert_problem(unknown, 401, "invalid_credentials"),
    )
    assert first | {"request_id": ""} == second | {"request_id": ""}


async def test_an_unknown_user_costs_as_much_hashing_as_a_known_one(service: Service) -> None:
    """Measured in processor time, which other load on the machine hardly changes."""
    user = await service.register()

    async def cost(email: str) -> float:
        costs = []
        for _ in range(5):
            began = time.process_time()
            response = await service.http.post("/v1/auth/login", json={"email": email, "password": "wrong password"})
            costs.append(time.process_time() - began)
            assert response.status_code == 401
        return min(costs)

    known, unknown = await cost(user.email), await cost("nobody@example.com")
    assert 0.5 < unknown / known < 2


async def test_the_access_token_has_the_claims_of_supabase_auth(service: Service) -> None:
    user = await service.register()
    keys = jwt.PyJWKSet.from_dict((await service.http.get("/.well-known/jwks.json")).json())
    header = jwt.get_unverified_header(user.access_token)
    assert header["alg"] == "ES256"
    key = keys[header["kid"]]
    claims = jwt.decode(user.access_token, key, algorithms=["ES256"], audience="authenticated")
    assert claims["iss"] == "http://localhost/v1/auth"
    assert claims["sub"] == str(user.user_id)
    assert claims["session_id"] == user.id
    assert claims["role"] == "authenticated"
    assert claims["aal"] == "aal1"
    assert claims["amr"][0]["method"] == "password"
    assert claims["email"] == user.email
    assert claims["is_anonymous"] is False
    assert claims["user_metadata"] == {}
    assert claims["app_metadata"]["role"] == "user"
    assert claims["exp"] - claims["iat"] == 900


async def test_the_issuer_is_below_the_public_url(database_url: str) -> None:
    async with running_service(database_url, public_url="https://app.example.com/account/") as service:
        user = await service.register()
        claims = jwt.decode(user.access_token, options={"verify_signature": False})
        assert claims["iss"] == "https://app.example.com/account/v1/auth"


async def test_the_public_keys_may_be_cached_and_contain_no_secret(service: Service) -> None:
    response = await service.http.get("/.well-known/jwks.json")
    assert response.headers["cache-control"] == "public, max-age=600"
    [key] = response.json()["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}


async def test_a_refresh_returns_the_next_refresh_token(service: Service) -> None:
    user = await service.register()
    first = user.refresh_token
    response = await user.refresh()
    assert response.status_code == 200
    assert user.refresh_token != first
    assert user.sign_in["session"]["id"] == response.json()["session"]["id"]
    assert (await user.get("/v1/me")).status_code == 200
    assert (await user.refresh()).status_code == 200


async def test_a_replay_within_the_grace_period_returns_the_same_successor(service: Service) -> None:
    user = await service.register()
    form = {"refresh_token": user.refresh_token}
    once, again = [await service.http.post("/v1/auth/refresh", json=form) for _ in range(2)]
    assert once.status_code == again.status_code == 200
    assert once.json()["refresh_token"] == again.json()["refresh_token"]


async def test_a_replay_after_the_grace_period_revokes_the_session(service: Service) -> None:
    user = await service.register()
    stolen = {"refresh_token": user.refresh_token}
    await user.refresh()
    await service.sql.execute("update gatepost.refresh_tokens set rotated_at = rotated_at - interval '11 s'")

    assert_problem(await service.http.post("/v1/auth/refresh", json=stolen), 401, "refresh_token_reused")
    problem = assert_problem(await user.get("/v1/me"), 401, "session_revoked")
    assert problem["reason"] == "refresh_token_reused"
    assert_problem(await user.refresh(), 401, "session_revoked")


async def test_a_replay_whose_successor_was_used_revokes_the_session(service: Service) -> None:
    user = await service.register()
    stolen = {"refresh_token": user.refresh_token}
    await user.refresh()
    await user.refresh()
    assert_problem(await service.http.post("/v1/auth/refresh", json=stolen), 401, "refresh_token_reused")
    assert_problem(await user.get("/v1/me"), 401, "session_revoked")


@pytest.mark.parametrize(
    "mangle", [lambda t: t[:-1] + ("A" if t[-1] != "A" else "B"), lambda _: "gpr_", lambda t: t * 3]
)
async def test_a_forged_refresh_token_revokes_nothing(service: Service, mangle: Any) -> None:
    user = await service.register()
    response = await service.http.post("/v1/auth/refresh", json={"refresh_token": mangle(user.refresh_token)})
    assert_problem(response, 401, "token_invalid")
    assert (await user.get("/v1/me")).status_code == 200


async def test_refreshing_without_a_token_is_not_authenticated(service: Service) -> None:
    assert_problem(await service.http.post("/v1/auth/refresh"), 401, "not_authenticated")
    assert_problem(await service.http.post("/v1/auth/refresh", json={}), 401, "not_authenticated")


async def test_the_database_contains_no_usable_token(service: Service) -> None:
    user = await service.register()
    first = user.refresh_token
    await user.refresh()
    dump = str(await service.sql.fetch("select t::text from gatepost.refresh_tokens t"))
    dump += str(await service.sql.fetch("select s::text from gatepost.sessions s"))
    dump += str(await service.sql.fetch("select u::text from gatepost.users u"))
    for secret in (first, user.refresh_token, user.access_token, PASSWORD):
        assert secret not in dump
        assert secret.encode().hex() not in dump


@pytest.mark.parametrize("by", ["bearer", "refresh token"])
async def test_signing_out_ends_the_session(service: Service, by: str) -> None:
    user = await service.register()
    if by == "bearer":
        response = await user.post("/v1/auth/logout")
    else:
        response = await service.http.post("/v1/auth/logout", json={"refresh_token": user.refresh_token})
    assert response.status_code == 204
    assert assert_problem(await user.get("/v1/me"), 401, "session_revoked")["reason"] == "signed_out"
    assert_problem(await user.refresh(), 401, "session_revoked")


async def test_signing_out_without_a_session_succeeds(service: Service) -> None:
    assert (await service.http.post("/v1/auth/logout")).status_code == 204
    assert (await service.http.post("/v1/auth/logout", json={"refresh_token": "nonsense"})).status_code == 204
    bearer = {"Authorization": "Bearer nonsense"}
    assert (await service.http.post("/v1/auth/logout", headers=bearer)).status_code == 204


async def test_changing_the_password_signs_out_other_devices(service: Service) -> None:
    device = await service.register()
    other = await service.login(device.email)
    form = {"current_password": PASSWORD, "new_password": "a new long password"}
    assert (await device.post("/v1/auth/password/change", form)).status_code == 204

    assert (await device.get("/v1/me")).status_code == 200
    assert assert_problem(await other.get("/v1/me"), 401, "session_revoked")["reason"] == "password_changed"
    old = await service.http.post("/v1/auth/login", json={"email": device.email, "password": PASSWORD})
    assert_problem(old, 401, "invalid_credentials")
    await service.login(device.email, password="a new long password")


async def test_changing_the_password_needs_the_current_one(service: Service) -> None:
    user = await service.register()
    form = {"current_password": "wrong password", "new_password": "a new long password"}
    assert_problem(await user.post("/v1/auth/password/change", form), 401, "invalid_credentials")
    await service.login(user.email)


async def test_reauthenticating_needs_the_right_password(service: Service) -> None:
    user = await service.register()
    assert_problem(await user.post("/v1/auth/reauthenticate", {"password": "wrong"}), 401, "invalid_credentials")
    assert (await user.post("/v1/auth/reauthenticate", {"password": PASSWORD})).status_code == 204


async def test_an_outdated_password_hash_is_replaced_at_sign_in(service: Service) -> None:
    from argon2 import PasswordHasher

    user = await service.register()
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    await service.sql.execute("update gatepost.users set password_hash = $1", weak)
    await asyncio.gather(*(service.login(user.email) for _ in range(4)))
    assert "m=19456,t=2,p=1" in await service.sql.fetchval("select password_hash from gatepost.users")
    await service.login(user.email)


async def test_failed_sign_ins_are_rate_limited_per_account(database_url: str) -> None:
    async with running_service(database_url, environment="development") as service:
        user = await service.register()

        async def guess(email: str, password: str = "wrong password") -> httpx.Response:
            return await service.http.post("/v1/auth/login", json={"email": email, "password": password})

        for _ in range(10):
            assert_problem(await guess(user.email), 401, "invalid_credentials")
        rejected = await guess(user.email, PASSWORD)
        assert_problem(rejected, 429, "rate_limited")
        assert 0 < int(rejected.headers["retry-after"]) <= 300
        other = await service.register()
        assert (await guess(other.email, PASSWORD)).status_code == 200


async def test_concurrent_failed_sign_ins_are_rate_limited(database_url: str) -> None:
    async with running_service(database_url, environment="development") as service:
        user = await service.register()
        form = {"email": user.email, "password": "wrong password"}
        responses = await asyncio.gather(*(service.http.post("/v1/auth/login", json=form) for _ in range(40)))
        assert sorted(response.status_code for response in responses) == [401] * 10 + [429] * 30


async def test_successful_sign_ins_are_not_rate_limited(database_url: str) -> None:
    async with running_service(database_url, environment="development") as service:
        user = await service.register()
        for _ in range(12):
            await service.login(user.email)


async def test_registrations_are_rate_limited_by_ip_address(database_url: str) -> None:
    async with running_service(database_url, environment="development") as service:
        forms = [{"email": f"ada{number}@example.com", "password": PASSWORD} for number in range(40)]
        responses = await asyncio.gather(*(service.http.post("/v1/auth/register", json=form) for form in forms))
        rejected = [response for response in responses if response.status_code != 201]
        assert 0 < len(rejected) <= 10
        for response in rejected:
            assert_problem(response, 429, "rate_limited")


async def test_the_first_start_creates_the_admin(database_url: str) -> None:
    given = {"admin_email": "boss@example.com", "admin_password": PASSWORD}
    async with running_service(database_url, **given) as service:
        admin = await service.login("boss@example.com")
        assert (await admin.get("/v1/me")).json()["user"]["role"] == "admin"
    async with running_service(database_url, **given) as service:
        await service.login("boss@example.com")
