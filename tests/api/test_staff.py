"""Staff: anybody's sessions found and ended, people disabled, keys, and the trail of it all."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from tests.support import PASSWORD, Device, Service, admin, assert_problem


async def new_key(boss: Device, *scopes: str) -> Device:
    answer = await boss.post("/v1/admin/api-keys", {"name": "support", "scopes": list(scopes)})
    assert answer.status_code == 201, answer.text
    return Device(boss.http, "", {"access_token": answer.json()["secret"]})


async def test_the_story(service: Service) -> None:
    """Support finds a person's session, ends it with a reason; it is refused; the log says who, what and why."""
    boss, person = await admin(service), await service.register(email="ada@example.com")
    found = (await boss.get("/v1/admin/sessions?q=ADA@")).json()["items"]
    assert [item["id"] for item in found] == [person.id]
    assert found[0]["email"] == "ada@example.com"
    assert found[0]["current"] is False

    ended = await boss.delete(f"/v1/admin/sessions/{person.id}?reason=lost+laptop")
    assert ended.status_code == 204
    assert assert_problem(await person.get("/v1/me"), 401, "session_revoked")["reason"] == "signed_out_by_admin"
    [row] = (await boss.get(f"/v1/admin/audit?target=session:{person.id}&action=session.ended")).json()["items"]
    assert row["actor"] == f"person:{boss.user_id}"
    assert row["reason"] == "lost laptop"
    assert row["ip"] == "127.0.0.1"
    assert row["detail"] == {"person": str(person.user_id), "end_reason": "signed_out_by_admin"}


async def test_every_admin_operation_is_for_staff_alone(service: Service) -> None:
    """Walked from the document: nobody is 401; an ordinary person, a key without the scope, a demoted admin are 403."""
    boss, person = await admin(service), await service.register()
    key = await new_key(boss, "emails:send")
    demoted = await admin(service)
    await service.sql.execute("update gatepost.users set role = 'user' where id = $1", demoted.user_id)
    document = (await service.http.get("/openapi.json")).json()
    walked = 0
    for path, operations in document["paths"].items():
        if not path.startswith("/v1/admin"):
            continue
        for method, operation in operations.items():
            url = path.replace("{user_id}", str(uuid4())).replace("{session_id}", str(uuid4()))
            url = url.replace("{key_id}", str(uuid4())) + "?reason=x"
            body = {"reason": "x", "name": "x", "scopes": ["users:read"], "filter": {"kind": "bot"}}
            options: dict[str, Any] = {"json": body} if "requestBody" in operation else {}
            assert_problem(await service.http.request(method, url, **options), 401, "not_authenticated")
            for who in (person, key, demoted):
                assert_problem(await who.request(method.upper(), url, **options), 403, "forbidden")
            walked += 1
    assert walked == 14


@pytest.mark.parametrize("by", ["email", "name", "user id", "session id", "address", "network", "user_id", "ip"])
async def test_a_session_is_found_by(service: Service, by: str) -> None:
    boss, person, _ = await admin(service), await service.register(email="zoe@example.org"), await service.register()
    await service.sql.execute(
        'update gatepost.users set user_metadata = \'{"name": "Ümit"}\' where id = $1', person.user_id
    )
    await service.sql.execute("update gatepost.sessions set ip = '192.0.2.77' where id = $1", person.id)
    query = {
        "email": "q=Zoe@",
        "name": "q=üm",
        "user id": f"q={person.user_id}",
        "session id": f"q={person.id}",
        "address": "q=192.0.2.77",
        "network": "q=192.0.2.0/24",
        "user_id": f"user_id={person.user_id}",
        "ip": "ip=192.0.2.64/26",
    }[by]
    answer = await boss.get(f"/v1/admin/sessions?{query}")
    assert [item["id"] for item in answer.json()["items"]] == [person.id]


@pytest.mark.parametrize("query", ["", "q=person", "ip=127.0.0.0/8", "status=active", "status=revoked"])
async def test_pages_hold_everything_once(service: Service, query: str) -> None:
    boss = await admin(service)
    for _ in range(4):
        person = await service.register()
        await service.login(person.email)
        await person.delete("/v1/sessions")
    whole = [item["id"] for item in (await boss.get(f"/v1/admin/sessions?{query}&limit=100")).json()["items"]]
    assert len(whole) >= 4
    paged: list[str] = []
    cursor = ""
    while True:
        page = (await boss.get(f"/v1/admin/sessions?{query}&limit=2{cursor}")).json()
        paged += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert paged == whole


async def test_ending_all_of_a_persons_sessions(service: Service) -> None:
    boss, person = await admin(service), await service.register()
    other = await service.login(person.email)
    answer = await boss.delete(f"/v1/admin/users/{person.user_id}/sessions?reason=moved")
    assert answer.json() == {"revoked": 2}
    for device in (person, other):
        assert_problem(await device.get("/v1/me"), 401, "session_revoked")


async def test_ending_by_filter(service: Service) -> None:
    boss, person, other = await admin(service), await service.register(), await service.register()
    await service.sql.execute("update gatepost.sessions set ip = '198.51.100.9' where id = $1", person.id)
    order = {"filter": {"network": "198.51.100.0/24"}, "reason": "botnet"}
    dry = await boss.post("/v1/admin/sessions/revoke", order | {"dry_run": True})
    assert dry.json() == {"matched": 1, "revoked": 0, "included_own": False}
    assert (await person.get("/v1/me")).status_code == 200
    done = await boss.post("/v1/admin/sessions/revoke", order)
    assert done.json() == {"matched": 1, "revoked": 1, "included_own": False}
    assert_problem(await person.get("/v1/me"), 401, "session_revoked")
    assert (await other.get("/v1/me")).status_code == 200


async def test_ending_everything_says_that_it_included_ones_own(service: Service) -> None:
    boss, person = await admin(service), await service.register()
    order = {"filter": {"signed_in_after": "2020-01-01T00:00:00Z"}, "reason": "breach"}
    answer = await boss.post("/v1/admin/sessions/revoke", order)
    assert answer.json() == {"matched": 2, "revoked": 2, "included_own": True}
    for device in (boss, person):
        assert_problem(await device.get("/v1/me"), 401, "session_revoked")


@pytest.mark.parametrize("wanted", [{}, {"network": None}, {"colour": "red"}, {"user_ids": []}, {"network": "x"}])
async def test_a_filter_that_names_nothing_is_refused(service: Service, wanted: dict[str, Any]) -> None:
    boss = await admin(service)
    answer = await boss.post("/v1/admin/sessions/revoke", {"filter": wanted, "reason": "x"})
    assert_problem(answer, 422, "validation_failed")
    assert (await boss.get("/v1/me")).status_code == 200


async def test_a_disabled_person_is_out_until_enabled(service: Service) -> None:
    boss, person = await admin(service), await service.register()
    path = f"/v1/admin/users/{person.user_id}"
    disabled = await boss.post(f"{path}/disable", {"reason": "fraud"})
    assert disabled.json()["disabled_at"]
    assert disabled.json()["active_sessions"] == 0
    assert_problem(await person.get("/v1/me"), 401, "session_revoked")
    form = {"email": person.email, "password": PASSWORD}
    assert_problem(await service.http.post("/v1/auth/login", json=form), 403, "forbidden")
    wrong = {"email": person.email, "password": "wrong password"}
    assert_problem(await service.http.post("/v1/auth/login", json=wrong), 401, "invalid_credentials")
    assert (await boss.post(f"{path}/enable", {"reason": "cleared"})).json()["disabled_at"] is None
    await service.login(person.email)


async def test_a_disabled_admin_is_no_staff(service: Service) -> None:
    boss, other = await admin(service), await admin(service)
    await service.sql.execute("update gatepost.users set disabled_at = now() where id = $1", other.user_id)
    assert_problem(await other.get("/v1/admin/users"), 403, "forbidden")
    assert (await boss.get("/v1/admin/users")).status_code == 200


async def test_a_deleted_person_leaves_an_id_alone(service: Service) -> None:
    boss, person = await admin(service), await service.register(email="gone@example.com")
    assert (await boss.delete(f"/v1/admin/users/{person.user_id}?reason=asked")).status_code == 204
    assert_problem(await person.get("/v1/me"), 401, "session_revoked")
    assert_problem(await boss.get(f"/v1/admin/users/{person.user_id}"), 404, "not_found")
    audit = (await boss.get("/v1/admin/audit?limit=100")).text
    assert str(person.user_id) in audit
    assert "gone@example.com" not in audit
    assert_problem(await boss.delete(f"/v1/admin/users/{person.user_id}?reason=asked"), 404, "not_found")


async def test_a_key_does_what_its_scopes_say(service: Service) -> None:
    boss, person = await admin(service), await service.register()
    reader = await new_key(boss, "sessions:read")
    assert (await reader.get("/v1/admin/sessions")).status_code == 200
    assert_problem(await reader.delete(f"/v1/admin/sessions/{person.id}?reason=x"), 403, "forbidden")
    ender = await new_key(boss, "sessions:revoke")
    assert (await ender.delete(f"/v1/admin/sessions/{person.id}?reason=x")).status_code == 204
    [row] = (await boss.get("/v1/admin/audit?action=session.ended")).json()["items"]
    assert row["actor"].startswith("key:")


async def test_keys_are_shown_once_kept_hashed_and_never_manage_keys(service: Service) -> None:
    boss = await admin(service)
    scopes = [
        "users:read",
        "sessions:read",
        "sessions:revoke",
        "emails:send",
        "emails:read",
        "templates:write",
        "audit:read",
    ]
    key = await new_key(boss, *scopes)
    listed = (await boss.get("/v1/admin/api-keys")).text
    dump = str(await service.sql.fetch("select k::text from gatepost.api_keys k"))
    assert key.access_token not in listed
    assert key.access_token not in dump
    assert key.access_token[:11] in listed
    assert_problem(await key.get("/v1/admin/api-keys"), 403, "forbidden")
    assert_problem(await key.post("/v1/admin/api-keys", {"name": "x", "scopes": ["users:read"]}), 403, "forbidden")
    assert_problem(await key.get("/v1/me"), 401, "token_invalid")


@pytest.mark.parametrize("how", ["revoked", "expired", "mistyped", "made up"])
async def test_a_key_that_is_not_good_is_nobody(service: Service, how: str) -> None:
    boss = await admin(service)
    key = await new_key(boss, "users:read")
    if how == "revoked":
        [listed] = (await boss.get("/v1/admin/api-keys")).json()["items"]
        for _ in range(2):
            assert (await boss.delete(f"/v1/admin/api-keys/{listed['id']}")).status_code == 204
    elif how == "expired":
        await service.sql.execute("update gatepost.api_keys set expires_at = now()")
    elif how == "mistyped":
        key.answer["access_token"] = key.access_token[:-1] + ("0" if key.access_token[-1] != "0" else "1")
    else:
        key.answer["access_token"] = "gp_" + "x" * 56
    assert_problem(await key.get("/v1/admin/users"), 401, "not_authenticated")


async def test_staff_acts_need_a_recent_password_and_keys_do_not(service: Service) -> None:
    boss, person = await admin(service), await service.register()
    key = await new_key(boss, "sessions:revoke")
    await service.sql.execute("update gatepost.sessions set authenticated_at = now() - interval '16 minutes'")
    assert (await boss.get("/v1/admin/sessions")).status_code == 200
    refused = await boss.delete(f"/v1/admin/sessions/{person.id}?reason=x")
    assert_problem(refused, 403, "reauthentication_required")
    assert (await key.delete(f"/v1/admin/sessions/{person.id}?reason=x")).status_code == 204


async def test_two_admins_ending_one_session_at_once_is_one_ending(service: Service) -> None:
    one, two, person = await admin(service), await admin(service), await service.register()
    path = f"/v1/admin/sessions/{person.id}?reason=x"
    answers = await asyncio.gather(*(who.delete(path) for who in (one, two) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {204}
    rows = (await one.get(f"/v1/admin/audit?target=session:{person.id}&action=session.ended")).json()["items"]
    assert len(rows) == 1


async def test_what_happens_to_sessions_is_written_down(service: Service) -> None:
    boss = await admin(service)
    person = await service.register()
    for _ in range(5):
        last = await service.login(person.email)
    await service.http.post("/v1/auth/login", json={"email": person.email, "password": "wrong password"})
    await service.http.post("/v1/auth/login", json={"email": "nobody@example.com", "password": "wrong password"})
    await last.post("/v1/auth/logout")
    items = (await boss.get("/v1/admin/audit?limit=100")).json()["items"]
    acts = [(item["action"], item["detail"].get("end_reason")) for item in items]
    assert acts.count(("session.opened", None)) == 7
    assert acts.count(("session.ended", "evicted")) == 1
    assert acts.count(("session.ended", "signed_out")) == 1
    failed = [item["target"] for item in items if item["action"] == "sign_in.failed"]
    assert sorted(failed, key=str) == [None, f"person:{person.user_id}"]
    assert person.email not in str(items)


async def test_the_log_can_only_grow(service: Service) -> None:
    await service.register()
    for statement in (
        "update gatepost.audit_log set reason = 'nothing'",
        "delete from gatepost.audit_log",
        "truncate gatepost.audit_log",
        "truncate gatepost.audit_log, gatepost.audit_seals, gatepost.audit_drops",
    ):
        with pytest.raises(Exception, match="append-only"):
            await service.sql.execute(statement)
