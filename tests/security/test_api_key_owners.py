"""API keys end with the admin who owns them, whatever takes the admin's rights away."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.support import Device, Service, assert_problem

LOSSES = {
    "disabled": "update gatepost.users set disabled_at = now() where id = $1",
    "demoted": "update gatepost.users set role = 'user' where id = $1",
    "deleted": "delete from gatepost.users where id = $1",
}
RETURNS = "update gatepost.users set disabled_at = null, role = 'admin' where id = $1"


async def key_of(service: Service) -> tuple[Device, Device, Device, str]:
    """Return an admin, another one who owns a key, the key, and its id."""
    admin, owner = await service.register_admin(), await service.register_admin()
    key = await service.create_api_key(owner, "users:read")
    assert (await key.get("/v1/admin/users")).status_code == 200
    listed = (await admin.get("/v1/admin/api-keys")).json()["items"][0]
    assert (listed["owner_id"], listed["owner_email"], listed["suspended_at"]) == (
        str(owner.user_id),
        owner.email,
        None,
    )
    return admin, owner, key, listed["id"]


@pytest.mark.parametrize("loss", LOSSES)
async def test_a_key_stops_at_once_when_its_owner_is(service: Service, loss: str) -> None:
    admin, owner, key, key_id = await key_of(service)
    await service.sql.execute(LOSSES[loss], owner.user_id)
    assert_problem(await key.get("/v1/admin/users"), 401, "not_authenticated")
    listed = (await admin.get("/v1/admin/api-keys")).json()["items"][0]
    assert listed["suspended_at"]
    assert listed["owner_email"] == (None if loss == "deleted" else owner.email)
    audited = "select count(*) from gatepost.audit_log where action = 'key.suspended' and target = $1"
    assert await service.sql.fetchval(audited, f"key:{key_id}") == 1


async def test_the_lookup_itself_refuses_a_key_whose_owner_may_not(service: Service) -> None:
    """Also where the triggers did not run, as while a dump is restored."""
    _, owner, key, _ = await key_of(service)
    async with service.sql.transaction():
        await service.sql.execute("set local session_replication_role = replica")
        await service.sql.execute(LOSSES["disabled"], owner.user_id)
    assert_problem(await key.get("/v1/admin/users"), 401, "not_authenticated")


@pytest.mark.parametrize("loss", ["disabled", "demoted"])
async def test_a_key_does_not_return_with_its_owner(service: Service, loss: str) -> None:
    _, owner, key, key_id = await key_of(service)
    await service.sql.execute(LOSSES[loss], owner.user_id)
    await service.sql.execute(RETURNS, owner.user_id)
    assert_problem(await key.get("/v1/admin/users"), 401, "not_authenticated")
    # Not silently: the owner takes it over again, which is audited.
    owner = await service.login(owner.email)
    assert (await owner.post(f"/v1/admin/api-keys/{key_id}/take-over")).status_code == 200
    assert (await key.get("/v1/admin/users")).status_code == 200


@pytest.mark.parametrize("loss", LOSSES)
async def test_another_admin_takes_a_key_over(service: Service, loss: str) -> None:
    admin, owner, key, key_id = await key_of(service)
    await service.sql.execute(LOSSES[loss], owner.user_id)
    taken = await admin.post(f"/v1/admin/api-keys/{key_id}/take-over")
    assert taken.status_code == 200, taken.text
    assert (taken.json()["owner_email"], taken.json()["suspended_at"]) == (admin.email, None)
    assert (await key.get("/v1/admin/users")).status_code == 200
    row = await service.sql.fetchrow("select actor, target from gatepost.audit_log where action = 'key.taken_over'")
    assert row is not None
    assert tuple(row) == (f"user:{admin.user_id}", f"key:{key_id}")
    # From now on it ends with its new owner.
    await service.register_admin()
    await service.sql.execute(LOSSES["disabled"], admin.user_id)
    assert_problem(await key.get("/v1/admin/users"), 401, "not_authenticated")


async def test_who_may_not_take_a_key_over(service: Service) -> None:
    admin, owner, key, key_id = await key_of(service)
    path = f"/v1/admin/api-keys/{key_id}/take-over"
    assert_problem(await key.post(path), 403, "forbidden")
    assert_problem(await (await service.register()).post(path), 403, "forbidden")
    unknown = "/v1/admin/api-keys/00000000-0000-0000-0000-000000000000/take-over"
    assert_problem(await admin.post(unknown), 404, "not_found")
    await admin.delete(f"/v1/admin/api-keys/{key_id}")
    assert "revoked" in assert_problem(await admin.post(path), 409, "conflict")["detail"]
    await service.sql.execute(
        "update gatepost.sessions set authenticated_at = now() - interval '1 hour' where user_id = $1", owner.user_id
    )
    assert_problem(await owner.post(path), 403, "reauthentication_required")


async def test_only_an_enabled_admin_can_own_a_key_by_sql_too(service: Service) -> None:
    _, _, _, key_id = await key_of(service)
    user = await service.register()
    with pytest.raises(asyncpg.PostgresError) as raised:
        await service.sql.execute("update gatepost.api_keys set owner_id = $2 where id = $1", key_id, user.user_id)
    assert raised.value.sqlstate == "GP059"


async def test_a_take_over_and_the_new_owners_end_leave_no_working_key(service: Service) -> None:
    for _ in range(5):
        admin, _, key, key_id = await key_of(service)
        await asyncio.gather(
            admin.post(f"/v1/admin/api-keys/{key_id}/take-over"),
            service.sql.execute(LOSSES["disabled"], admin.user_id),
        )
        owner = await service.sql.fetchval("select owner_id from gatepost.api_keys where id = $1", key_id)
        status = (await key.get("/v1/admin/users")).status_code
        assert status == (401 if owner == admin.user_id else 200)
