"""The admin API: finding and revoking sessions, disabling users, API keys, and the audit log."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.support import PASSWORD, Service, all_pages, assert_problem


async def test_an_admin_finds_and_revokes_a_session_and_that_is_audited(service: Service) -> None:
    admin, user = await service.register_admin(), await service.register(email="ada@example.com")
    found = (await admin.get("/v1/admin/sessions?q=ADA@")).json()["items"]
    assert [item["id"] for item in found] == [user.id]
    assert found[0]["email"] == "ada@example.com"
    assert found[0]["current"] is False

    ended = await admin.delete(f"/v1/admin/sessions/{user.id}?reason=lost+laptop")
    assert ended.status_code == 204
    assert assert_problem(await user.get("/v1/me"), 401, "session_revoked")["reason"] == "signed_out_by_admin"
    [row] = (await admin.get(f"/v1/admin/audit?target=session:{user.id}&action=session.ended")).json()["items"]
    assert row["actor"] == f"user:{admin.user_id}"
    assert row["reason"] == "lost laptop"
    assert row["ip"] == "127.0.0.1"
    assert row["detail"] == {"user_id": str(user.user_id), "end_reason": "signed_out_by_admin"}


async def test_every_admin_operation_needs_the_role_or_the_scope(service: Service) -> None:
    """By the OpenAPI document: 401 without a token; 403 for a user, a key without the scope and a former admin."""
    admin, user = await service.register_admin(), await service.register()
    key = await service.create_api_key(admin, "emails:send")
    demoted = await service.register_admin()
    await service.sql.execute("update gatepost.users set role = 'user' where id = $1", demoted.user_id)
    document = (await service.http.get("/openapi.json")).json()
    checked = 0
    for path, operations in document["paths"].items():
        if not path.startswith("/v1/admin"):
            continue
        for method, operation in operations.items():
            url = path.replace("{user_id}", str(uuid4())).replace("{session_id}", str(uuid4()))
            url = url.replace("{key_id}", str(uuid4())) + "?reason=x"
            body = {"reason": "x", "name": "x", "scopes": ["users:read"], "filter": {"kind": "bot"}}
            options: dict[str, Any] = {"json": body} if "requestBody" in operation else {}
            assert_problem(await service.http.request(method, url, **options), 401, "not_authenticated")
            for who in (user, key, demoted):
                assert_problem(await who.request(method.upper(), url, **options), 403, "forbidden")
            checked += 1
    assert checked == 15


@pytest.mark.parametrize("by", ["email", "name", "user id", "session id", "address", "network", "user_id", "ip"])
async def test_sessions_are_found_by(service: Service, by: str) -> None:
    admin, user, _ = (
        await service.register_admin(),
        await service.register(email="zoe@example.org"),
        await service.register(),
    )
    await service.sql.execute(
        'update gatepost.users set user_metadata = \'{"name": "Ümit"}\' where id = $1', user.user_id
    )
    await service.sql.execute("update gatepost.sessions set ip = '192.0.2.77' where id = $1", user.id)
    query = {
        "email": "q=Zoe@",
        "name": "q=üm",
        "user id": f"q={user.user_id}",
        "session id": f"q={user.id}",
        "address": "q=192.0.2.77",
        "network": "q=192.0.2.0/24",
        "user_id": f"user_id={user.user_id}",
        "ip": "ip=192.0.2.64/26",
    }[by]
    response = await admin.get(f"/v1/admin/sessions?{query}")
    assert [item["id"] for item in response.json()["items"]] == [user.id]


@pytest.mark.parametrize("query", ["", "q=user", "ip=127.0.0.0/8", "status=active", "status=revoked"])
async def test_pages_contain_every_session_once(service: Service, query: str) -> None:
    admin = await service.register_admin()
    for _ in range(4):
        user = await service.register()
        await service.login(user.email)
        await user.delete("/v1/sessions")
    whole = [item["id"] for item in (await admin.get(f"/v1/admin/sessions?{query}&limit=100")).json()["items"]]
    assert len(whole) >= 4
    paged = await all_pages(admin, f"/v1/admin/sessions?{query}", 2)
    assert [item["id"] for item in paged] == whole


async def test_revoking_all_sessions_of_a_user(service: Service) -> None:
    admin, user = await service.register_admin(), await service.register()
    other = await service.login(user.email)
    response = await admin.delete(f"/v1/admin/users/{user.user_id}/sessions?reason=moved")
    assert response.json() == {"revoked": 2}
    for device in (user, other):
        assert_problem(await device.get("/v1/me"), 401, "session_revoked")


async def test_revoking_sessions_by_filter(service: Service) -> None:
    admin, user, other = await service.register_admin(), await service.register(), await service.register()
    await service.sql.execute("update gatepost.sessions set ip = '198.51.100.9' where id = $1", user.id)
    body = {"filter": {"network": "198.51.100.0/24"}, "reason": "botnet"}
    dry = await admin.post("/v1/admin/sessions/revoke", body | {"dry_run": True})
    assert dry.json() == {"matched": 1, "revoked": 0, "included_own": False}
    assert (await user.get("/v1/me")).status_code == 200
    done = await admin.post("/v1/admin/sessions/revoke", body)
    assert done.json() == {"matched": 1, "revoked": 1, "included_own": False}
    assert_problem(await user.get("/v1/me"), 401, "session_revoked")
    assert (await other.get("/v1/me")).status_code == 200


async def test_revoking_every_session_reports_that_it_included_the_admins_own(service: Service) -> None:
    admin, user = await service.register_admin(), await service.register()
    body = {"filter": {"signed_in_after": "2020-01-01T00:00:00Z"}, "reason": "breach"}
    response = await admin.post("/v1/admin/sessions/revoke", body)
    assert response.json() == {"matched": 2, "revoked": 2, "included_own": True}
    for device in (admin, user):
        assert_problem(await device.get("/v1/me"), 401, "session_revoked")


@pytest.mark.parametrize("filter_", [{}, {"network": None}, {"colour": "red"}, {"user_ids": []}, {"network": "x"}])
async def test_an_empty_or_invalid_filter_is_rejected(service: Service, filter_: dict[str, Any]) -> None:
    admin = await service.register_admin()
    response = await admin.post("/v1/admin/sessions/revoke", {"filter": filter_, "reason": "x"})
    assert_problem(response, 422, "validation_failed")
    assert (await admin.get("/v1/me")).status_code == 200


async def test_a_disabled_user_cannot_sign_in_until_enabled(service: Service) -> None:
    admin, user = await service.register_admin(), await service.register()
    path = f"/v1/admin/users/{user.user_id}"
    disabled = await admin.post(f"{path}/disable", {"reason": "fraud"})
    assert disabled.json()["disabled_at"]
    assert disabled.json()["active_sessions"] == 0
    assert_problem(await user.get("/v1/me"), 401, "session_revoked")
    form = {"email": user.email, "password": PASSWORD}
    assert_problem(await service.http.post("/v1/auth/login", json=form), 403, "forbidden")
    wrong = {"email": user.email, "password": "wrong password"}
    assert_problem(await service.http.post("/v1/auth/login", json=wrong), 401, "invalid_credentials")
    assert (await admin.post(f"{path}/enable", {"reason": "cleared"})).json()["disabled_at"] is None
    await service.login(user.email)


async def test_a_disabled_admin_has_no_access(service: Service) -> None:
    admin, other = await service.register_admin(), await service.register_admin()
    await service.sql.execute("update gatepost.users set disabled_at = now() where id = $1", other.user_id)
    assert_problem(await other.get("/v1/admin/users"), 401, "session_revoked")
    assert (await admin.get("/v1/admin/users")).status_code == 200


async def test_only_the_id_of_a_deleted_user_remains_in_the_audit_log(service: Service) -> None:
    admin, user = await service.register_admin(), await service.register(email="gone@example.com")
    assert (await admin.delete(f"/v1/admin/users/{user.user_id}?reason=asked")).status_code == 204
    assert_problem(await user.get("/v1/me"), 401, "session_revoked")
    assert_problem(await admin.get(f"/v1/admin/users/{user.user_id}"), 404, "not_found")
    audit = (await admin.get("/v1/admin/audit?limit=100")).text
    assert str(user.user_id) in audit
    assert "gone@example.com" not in audit
    assert_problem(await admin.delete(f"/v1/admin/users/{user.user_id}?reason=asked"), 404, "not_found")


async def test_an_api_key_may_do_what_its_scopes_allow(service: Service) -> None:
    admin, user = await service.register_admin(), await service.register()
    reader = await service.create_api_key(admin, "sessions:read")
    assert (await reader.get("/v1/admin/sessions")).status_code == 200
    assert_problem(await reader.delete(f"/v1/admin/sessions/{user.id}?reason=x"), 403, "forbidden")
    ender = await service.create_api_key(admin, "sessions:revoke")
    assert (await ender.delete(f"/v1/admin/sessions/{user.id}?reason=x")).status_code == 204
    [row] = (await admin.get("/v1/admin/audit?action=session.ended")).json()["items"]
    assert row["actor"].startswith("key:")


async def test_api_keys_are_shown_once_stored_hashed_and_cannot_manage_keys(service: Service) -> None:
    admin = await service.register_admin()
    scopes = [
        "users:read",
        "sessions:read",
        "sessions:revoke",
        "emails:send",
        "emails:read",
        "templates:write",
        "audit:read",
    ]
    key = await service.create_api_key(admin, *scopes)
    listed = (await admin.get("/v1/admin/api-keys")).text
    dump = str(await service.sql.fetch("select k::text from gatepost.api_keys k"))
    assert key.access_token not in listed
    assert key.access_token not in dump
    assert key.access_token[:11] in listed
    assert_problem(await key.get("/v1/admin/api-keys"), 403, "forbidden")
    assert_problem(await key.post("/v1/admin/api-keys", {"name": "x", "scopes": ["users:read"]}), 403, "forbidden")
    assert_problem(await key.get("/v1/me"), 401, "token_invalid")


@pytest.mark.parametrize("how", ["revoked", "expired", "mistyped", "made up"])
async def test_an_invalid_api_key_is_not_authenticated(service: Service, how: str) -> None:
    admin = await service.register_admin()
    key = await service.create_api_key(admin, "users:read")
    if how == "revoked":
        [listed] = (await admin.get("/v1/admin/api-keys")).json()["items"]
        for _ in range(2):
            assert (await admin.delete(f"/v1/admin/api-keys/{listed['id']}")).status_code == 204
    elif how == "expired":
        await service.sql.execute("update gatepost.api_keys set expires_at = now()")
    elif how == "mistyped":
        key.sign_in["access_token"] = key.access_token[:-1] + ("0" if key.access_token[-1] != "0" else "1")
    else:
        key.sign_in["access_token"] = "gp_" + "x" * 56
    assert_problem(await key.get("/v1/admin/users"), 401, "not_authenticated")


async def test_admin_actions_need_recent_authentication_and_api_keys_do_not(service: Service) -> None:
    admin, user = await service.register_admin(), await service.register()
    key = await service.create_api_key(admin, "sessions:revoke")
    await service.sql.execute("update gatepost.sessions set authenticated_at = now() - interval '16 minutes'")
    assert (await admin.get("/v1/admin/sessions")).status_code == 200
    rejected = await admin.delete(f"/v1/admin/sessions/{user.id}?reason=x")
    assert_problem(rejected, 403, "reauthentication_required")
    assert (await key.delete(f"/v1/admin/sessions/{user.id}?reason=x")).status_code == 204


async def test_concurrent_revocations_of_a_session_are_audited_once(service: Service) -> None:
    one, two, user = await service.register_admin(), await service.register_admin(), await service.register()
    path = f"/v1/admin/sessions/{user.id}?reason=x"
    responses = await asyncio.gather(*(who.delete(path) for who in (one, two) for _ in range(4)))
    assert {response.status_code for response in responses} == {204}
    rows = (await one.get(f"/v1/admin/audit?target=session:{user.id}&action=session.ended")).json()["items"]
    assert len(rows) == 1


async def test_sign_ins_evictions_and_failures_are_audited(service: Service) -> None:
    admin = await service.register_admin()
    user = await service.register()
    for _ in range(5):
        last = await service.login(user.email)
    await service.http.post("/v1/auth/login", json={"email": user.email, "password": "wrong password"})
    await service.http.post("/v1/auth/login", json={"email": "nobody@example.com", "password": "wrong password"})
    await last.post("/v1/auth/logout")
    items = (await admin.get("/v1/admin/audit?limit=100")).json()["items"]
    actions = [(item["action"], item["detail"].get("end_reason")) for item in items]
    assert actions.count(("session.opened", None)) == 7
    assert actions.count(("session.ended", "evicted")) == 1
    assert actions.count(("session.ended", "signed_out")) == 1
    failed = [item["target"] for item in items if item["action"] == "sign_in.failed"]
    assert sorted(failed, key=str) == [None, f"user:{user.user_id}"]
    assert user.email not in str(items)


async def test_the_audit_log_is_append_only(service: Service) -> None:
    await service.register()
    for statement in (
        "update gatepost.audit_log set reason = 'nothing'",
        "delete from gatepost.audit_log",
        "truncate gatepost.audit_log",
        "truncate gatepost.audit_log, gatepost.audit_seals, gatepost.audit_drops",
    ):
        with pytest.raises(asyncpg.PostgresError, match="append_only"):
            await service.sql.execute(statement)
