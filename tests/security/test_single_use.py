"""What works once works once for concurrent requests too; what ends an account leaves no session that was opening."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.runtime import open_runtime
from gatepost.security import LinkPurpose
from tests.support import PASSWORD, Service, assert_problem

SENDS_NO_MAIL = True

ACTIVE = "select count(*) from gatepost.sessions where user_id = $1 and ended_at is null"


async def newest_token(service: Service, purpose: LinkPurpose) -> str:
    """Return the token of the newest link, as its email would have it."""
    query = "select id from gatepost.links where purpose = $1 order by created_at desc limit 1"
    async with open_runtime(service.settings) as runtime:
        return runtime.link_tokens.create(purpose, await service.sql.fetchval(query, purpose))


async def test_a_reset_link_used_at_once_sets_one_password(service: Service) -> None:
    user = await service.register()
    await service.http.post("/v1/auth/password/forgot", json={"email": user.email})
    token = await newest_token(service, "reset_password")
    passwords = [f"a new password, number {number}" for number in range(8)]
    forms = [{"token": token, "password": password} for password in passwords]
    responses = await asyncio.gather(*(service.http.post("/v1/auth/password/reset", json=form) for form in forms))
    assert sorted(response.status_code for response in responses) == [204] + [410] * 7
    [won] = [number for number, response in enumerate(responses) if response.is_success]
    for number, password in enumerate(passwords):
        form = {"email": user.email, "password": password}
        expected = 200 if number == won else 401
        assert (await service.http.post("/v1/auth/login", json=form)).status_code == expected
    assert_problem(await user.get("/v1/me"), 401, "session_revoked")


async def test_a_confirming_link_used_at_once_confirms_once(service: Service) -> None:
    user = await service.register()
    token = await newest_token(service, "verify_email")
    requests = (service.http.post("/v1/auth/email/verify", json={"token": token}) for _ in range(8))
    assert sorted(each.status_code for each in await asyncio.gather(*requests)) == [204] + [410] * 7
    welcomed = "select count(*) from gatepost.emails where template = 'welcome' and recipient = $1"
    assert await service.sql.fetchval(welcomed, user.email) == 1


@pytest.mark.parametrize("act", ["disable", "delete"])
async def test_no_sign_in_survives_the_end_of_its_account(service: Service, act: str) -> None:
    admin = await service.register_admin()
    for _ in range(6):
        user = await service.register()
        login = {"email": user.email, "password": PASSWORD}
        path = f"/v1/admin/users/{user.user_id}"
        if act == "disable":
            ending: Any = admin.post(f"{path}/disable", {"reason": "fraud"})
        else:
            ending = admin.delete(f"{path}?reason=asked")
        ended, *others = await asyncio.gather(
            ending,
            *(service.http.post("/v1/auth/login", json=login) for _ in range(3)),
            service.http.post("/v1/auth/refresh", json={"refresh_token": user.refresh_token}),
        )
        assert ended.is_success, ended.text
        assert {response.status_code for response in others} <= {200, 401, 403}
        assert await service.sql.fetchval(ACTIVE, user.user_id) == 0
        for response in others:
            if response.is_success:
                bearer = {"Authorization": f"Bearer {response.json()['access_token']}"}
                assert (await service.http.get("/v1/me", headers=bearer)).status_code == 401


async def test_no_request_with_a_key_passes_after_it_was_revoked(service: Service) -> None:
    admin = await service.register_admin()
    key = await service.create_api_key(admin, "users:read")
    [listed] = (await admin.get("/v1/admin/api-keys")).json()["items"]
    revoked = asyncio.Event()

    async def use() -> None:
        while True:
            after = revoked.is_set()
            response = await key.get("/v1/admin/users")
            if response.status_code == 401:
                return
            assert not after
            assert response.status_code == 200

    users = [asyncio.create_task(use()) for _ in range(4)]
    assert (await admin.delete(f"/v1/admin/api-keys/{listed['id']}")).status_code == 204
    revoked.set()
    await asyncio.gather(*users)
