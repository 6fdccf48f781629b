"""A user's own sessions: listed, renamed, revoked, and rejected at the next request."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.support import (
    CHROME_ON_WINDOWS,
    PASSWORD,
    SAFARI_ON_IPHONE,
    Device,
    Service,
    all_pages,
    assert_problem,
    running_service,
)


async def list_sessions(device: Device, query: str = "") -> list[dict[str, object]]:
    response = await device.get(f"/v1/sessions{query}")
    assert response.status_code == 200
    items: list[dict[str, object]] = response.json()["items"]
    return items


async def set_back(service: Service, device: Device, column: str, interval: str) -> None:
    await service.sql.execute(
        f"update gatepost.sessions set {column} = now() - $2::text::interval where id = $1", device.id, interval
    )


async def test_two_devices_list_each_other_and_one_signs_the_other_out(service: Service) -> None:
    user = await service.register()
    laptop = await service.login(user.email, user_agent=CHROME_ON_WINDOWS)
    phone = await service.login(user.email, user_agent=SAFARI_ON_IPHONE)

    names = [item["name"] for item in await list_sessions(laptop)]
    assert names[0] == "Chrome on Windows"
    assert "Safari on iPhone" in names
    [current] = [item for item in await list_sessions(phone) if item["current"]]
    assert current["id"] == phone.id
    assert (await list_sessions(phone))[0] == current

    assert (await laptop.delete(f"/v1/sessions/{phone.id}")).status_code == 204
    problem = assert_problem(await phone.get("/v1/sessions"), 401, "session_revoked")
    assert problem["reason"] == "signed_out_elsewhere"
    assert problem["detail"] == "This device was signed out from another device."
    assert phone.id not in [item["id"] for item in await list_sessions(laptop)]


async def test_the_members_of_a_session(service: Service) -> None:
    user = await service.register()
    phone = await service.login(user.email, user_agent=SAFARI_ON_IPHONE)
    assert phone.sign_in["session"].keys() == {
        *("id", "user_id", "name", "device", "ip", "location", "created_at", "last_active_at", "expires_at"),
        *("current", "status", "ended_at", "end_reason"),
    }
    session = phone.sign_in["session"]
    assert session["device"] == {"kind": "mobile", "browser": "Safari", "os": "iPhone"}
    assert session["ip"] == "127.0.0.1"
    assert session["status"] == "active"
    assert session["created_at"].endswith("Z")


async def test_a_device_name_given_at_sign_in(service: Service) -> None:
    user = await service.register(device_name="  Ada's \u202e lap\x00top\n")
    assert user.sign_in["session"]["name"] == "Ada's lap top"
    unnamed = await service.login(user.email, device_name=" \n ")
    assert unnamed.sign_in["session"]["name"] == "Chrome on Windows"


async def test_a_session_can_be_renamed(service: Service) -> None:
    user = await service.register()
    phone = await service.login(user.email, user_agent=SAFARI_ON_IPHONE)
    renamed = await user.patch(f"/v1/sessions/{phone.id}", {"name": "My phone 📱"})
    assert renamed.status_code == 200
    assert renamed.json()["name"] == "My phone 📱"
    assert renamed.json()["current"] is False
    assert "My phone 📱" in [item["name"] for item in await list_sessions(user)]
    blank = await user.patch(f"/v1/sessions/{phone.id}", {"name": ""})
    assert blank.json()["name"] == "Safari on iPhone"
    assert_problem(await user.patch(f"/v1/sessions/{phone.id}", {}), 422, "validation_failed")
    assert_problem(await user.patch(f"/v1/sessions/{phone.id}", {"name": "x" * 101}), 422, "validation_failed")


async def test_an_ended_session_cannot_be_renamed(service: Service) -> None:
    user = await service.register()
    phone = await service.login(user.email)
    await user.delete(f"/v1/sessions/{phone.id}")
    assert_problem(await user.patch(f"/v1/sessions/{phone.id}", {"name": "ghost"}), 404, "not_found")


async def test_revoking_a_session_again_changes_nothing(service: Service) -> None:
    user = await service.register()
    phone = await service.login(user.email)
    for _ in range(2):
        assert (await user.delete(f"/v1/sessions/{phone.id}")).status_code == 204
    [ended] = [item for item in await list_sessions(user, "?include=ended") if item["id"] == phone.id]
    assert ended["end_reason"] == "signed_out_elsewhere"
    assert await service.sql.fetchval("select ended_by from gatepost.sessions where id = $1", phone.id) == user.user_id


async def test_another_users_session_is_not_found(service: Service) -> None:
    user, other_user = await service.register(), await service.register()
    for path in (f"/v1/sessions/{other_user.id}", f"/v1/sessions/{uuid4()}"):
        assert_problem(await user.delete(path), 404, "not_found")
        assert_problem(await user.patch(path, {"name": "mine"}), 404, "not_found")
    assert (await other_user.get("/v1/me")).status_code == 200


async def test_revoking_other_sessions_keeps_this_one(service: Service) -> None:
    user = await service.register()
    others = [await service.login(user.email) for _ in range(3)]
    other_user = await service.register()
    response = await user.delete("/v1/sessions")
    assert response.json() == {"revoked": 3}
    for other in others:
        assert_problem(await other.get("/v1/me"), 401, "session_revoked")
    assert (await user.get("/v1/me")).status_code == 200
    assert (await other_user.get("/v1/me")).status_code == 200
    assert (await user.delete("/v1/sessions")).json() == {"revoked": 0}


async def test_revoking_other_sessions_needs_recent_authentication(service: Service) -> None:
    user = await service.register()
    phone = await service.login(user.email)
    await set_back(service, user, "authenticated_at", "16 minutes")
    assert_problem(await user.delete("/v1/sessions"), 403, "reauthentication_required")
    assert_problem(await user.delete(f"/v1/sessions/{phone.id}"), 403, "reauthentication_required")
    assert len(await list_sessions(user)) == 2

    assert (await user.post("/v1/auth/reauthenticate", {"password": PASSWORD})).status_code == 204
    assert (await user.delete("/v1/sessions")).json() == {"revoked": 1}


async def test_revoking_this_session_needs_no_recent_authentication(service: Service) -> None:
    user = await service.register()
    await set_back(service, user, "authenticated_at", "16 minutes")
    assert (await user.delete(f"/v1/sessions/{user.id}")).status_code == 204
    assert assert_problem(await user.get("/v1/me"), 401, "session_revoked")["reason"] == "signed_out"


async def test_the_sixth_sign_in_evicts_the_least_recently_active_session(service: Service) -> None:
    user = await service.register()
    devices = [user, *[await service.login(user.email) for _ in range(4)]]
    await set_back(service, devices[2], "last_active_at", "1 hour")

    sixth = await service.login(user.email)
    assert [session["id"] for session in sixth.sign_in["evicted"]] == [devices[2].id]
    assert sixth.sign_in["evicted"][0]["end_reason"] == "evicted"
    assert sixth.sign_in["evicted"][0]["status"] == "revoked"
    assert len(await list_sessions(sixth)) == 5
    assert assert_problem(await devices[2].get("/v1/me"), 401, "session_revoked")["reason"] == "evicted"


async def test_a_lowered_cap_evicts_several_sessions(service: Service, database_url: str) -> None:
    user = await service.register()
    for _ in range(4):
        await service.login(user.email)
    async with running_service(database_url, max_sessions=2) as stricter:
        last = await stricter.login(user.email)
        assert len(last.sign_in["evicted"]) == 4
        assert len(await list_sessions(last)) == 2


async def test_idle_and_expired_sessions_do_not_count_towards_the_cap(service: Service) -> None:
    user = await service.register()
    devices = [user, *[await service.login(user.email) for _ in range(4)]]
    await set_back(service, devices[0], "last_active_at", "31 days")
    await set_back(service, devices[1], "expires_at", "1 s")
    sixth = await service.login(user.email)
    assert sixth.sign_in["evicted"] == []
    reasons = {item["id"]: item["end_reason"] for item in await list_sessions(sixth, "?include=ended")}
    assert reasons[devices[0].id] == "idle"
    assert reasons[devices[1].id] == "expired"


@pytest.mark.parametrize(
    ("column", "interval", "code"),
    [("last_active_at", "31 days", "session_idle"), ("expires_at", "0 s", "session_expired")],
)
async def test_an_idle_or_expired_session_is_rejected_for_good(
    service: Service, column: str, interval: str, code: str
) -> None:
    user = await service.register()
    await set_back(service, user, column, interval)
    reason = code.removeprefix("session_")
    assert assert_problem(await user.get("/v1/me"), 401, code)["reason"] == reason
    assert_problem(await user.refresh(), 401, code)
    row = await service.sql.fetchrow("select * from gatepost.sessions where id = $1", user.id)
    assert row is not None
    assert row["end_reason"] == reason

    # It stays ended, even when its times are moved forward.
    await service.sql.execute(
        "update gatepost.sessions set last_active_at = now(), expires_at = now() + interval '1 d'"
    )
    assert_problem(await user.get("/v1/me"), 401, code)


async def test_a_refresh_detects_an_idle_session(service: Service) -> None:
    user = await service.register()
    await set_back(service, user, "last_active_at", "31 days")
    assert_problem(await user.refresh(), 401, "session_idle")
    assert await service.sql.fetchval("select end_reason from gatepost.sessions") == "idle"


async def test_ended_sessions_are_listed_last_and_only_on_request(service: Service) -> None:
    user = await service.register()
    phones = [await service.login(user.email) for _ in range(3)]
    await user.delete(f"/v1/sessions/{phones[0].id}")
    await user.delete(f"/v1/sessions/{phones[1].id}")
    assert [item["id"] for item in await list_sessions(user)] == [user.id, phones[2].id]
    everything = await list_sessions(user, "?include=ended")
    assert [item["id"] for item in everything] == [user.id, phones[2].id, phones[1].id, phones[0].id]
    assert [item["status"] for item in everything] == ["active", "active", "revoked", "revoked"]
    assert everything[2]["ended_at"]
    assert_problem(await user.get("/v1/sessions?include=everything"), 422, "validation_failed")


async def test_pages_contain_every_session_once_in_order(service: Service) -> None:
    user = await service.register()
    for _ in range(8):
        await service.login(user.email)
    user = await service.login(user.email)
    whole = [item["id"] for item in await list_sessions(user, "?include=ended")]
    assert len(whole) == 10

    assert [item["id"] for item in await all_pages(user, "/v1/sessions?include=ended", 3)] == whole


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=101", "limit=x", "cursor=x", "cursor=W10", "cursor=%00", "cursor=" + "A" * 201),
        # base64 of: [1, 99999999999999999999, "…"], ["a", 1, 2], {}
        *("cursor=WzEsOTk5OTk5OTk5OTk5OTk5OTk5OTksIngiXQ", "cursor=WyJhIiwxLDJd", "cursor=e30"),
    ],
)
async def test_an_invalid_page_request_is_rejected(service: Service, query: str) -> None:
    user = await service.register()
    assert_problem(await user.get(f"/v1/sessions?{query}"), 422, "validation_failed")


async def test_registering_the_current_session(service: Service) -> None:
    user = await service.register()
    response = await user.post("/v1/sessions", {})
    assert response.status_code == 200
    assert response.json()["id"] == user.id
    named = await user.post("/v1/sessions", {"device_name": "Work laptop"})
    assert named.json()["name"] == "Work laptop"


async def test_activity_is_updated_once_an_interval_with_the_new_ip(database_url: str) -> None:
    async with running_service(database_url, trusted_proxies="127.0.0.1") as service:
        user = await service.register()
        read = "select last_active_at, last_active_on, ip, xmin::text from gatepost.sessions where id = $1"
        fresh = await service.sql.fetchrow(read, user.id)
        await user.get("/v1/me", headers={"X-Forwarded-For": "192.0.2.9"})
        assert await service.sql.fetchrow(read, user.id) == fresh

        await set_back(service, user, "last_active_at", "6 minutes")
        await user.get("/v1/me", headers={"X-Forwarded-For": "192.0.2.9"})
        row = await service.sql.fetchrow(read, user.id)
        assert row is not None
        assert fresh is not None
        assert row["last_active_at"] > fresh["last_active_at"]
        assert str(row["ip"]) == "192.0.2.9"


async def test_without_a_trusted_proxy_forwarded_headers_are_ignored(service: Service) -> None:
    headers = {"X-Forwarded-For": "192.0.2.9", "Forwarded": "for=192.0.2.9", "X-Real-IP": "192.0.2.9"}
    form = {"email": "ada@example.com", "password": PASSWORD}
    response = await service.http.post("/v1/auth/register", json=form, headers=headers)
    assert response.json()["session"]["ip"] == "127.0.0.1"
