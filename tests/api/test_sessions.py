"""One's own devices: listed, named, ended, and over at the next request."""

from __future__ import annotations

from uuid import uuid4

import pytest
from tests.support import (
    CHROME_ON_WINDOWS,
    PASSWORD,
    SAFARI_ON_IPHONE,
    Device,
    Service,
    assert_problem,
    running_service,
)


async def listed(device: Device, query: str = "") -> list[dict[str, object]]:
    answer = await device.get(f"/v1/sessions{query}")
    assert answer.status_code == 200
    items: list[dict[str, object]] = answer.json()["items"]
    return items


async def age(service: Service, device: Device, column: str, interval: str) -> None:
    await service.sql.execute(
        f"update gatepost.sessions set {column} = now() - $2::text::interval where id = $1", device.id, interval
    )


async def test_the_story(service: Service) -> None:
    """Two devices, both listed by both; one ends the other, and the other's next request is refused with the reason."""
    person = await service.register()
    laptop = await service.login(person.email, user_agent=CHROME_ON_WINDOWS)
    phone = await service.login(person.email, user_agent=SAFARI_ON_IPHONE)

    names = [item["name"] for item in await listed(laptop)]
    assert names[0] == "Chrome on Windows"
    assert "Safari on iPhone" in names
    [current] = [item for item in await listed(phone) if item["current"]]
    assert current["id"] == phone.id
    assert (await listed(phone))[0] == current

    assert (await laptop.delete(f"/v1/sessions/{phone.id}")).status_code == 204
    problem = assert_problem(await phone.get("/v1/sessions"), 401, "session_revoked")
    assert problem["reason"] == "signed_out_elsewhere"
    assert problem["detail"] == "This device was signed out from another device."
    assert phone.id not in [item["id"] for item in await listed(laptop)]


async def test_a_session_says_what_it_is(service: Service) -> None:
    person = await service.register()
    phone = await service.login(person.email, user_agent=SAFARI_ON_IPHONE)
    assert phone.answer["session"].keys() == {
        *("id", "user_id", "name", "device", "ip", "location", "created_at", "last_active_at", "expires_at"),
        *("current", "status", "ended_at", "end_reason"),
    }
    session = phone.answer["session"]
    assert session["device"] == {"kind": "mobile", "browser": "Safari", "os": "iPhone"}
    assert session["ip"] == "127.0.0.1"
    assert session["status"] == "active"
    assert session["created_at"].endswith("Z")


async def test_the_person_may_name_a_device_at_sign_in(service: Service) -> None:
    person = await service.register(device_name="  Ada's \u202e lap\x00top\n")
    assert person.answer["session"]["name"] == "Ada's lap top"
    unnamed = await service.login(person.email, device_name=" \n ")
    assert unnamed.answer["session"]["name"] == "Chrome on Windows"


async def test_renaming(service: Service) -> None:
    person = await service.register()
    phone = await service.login(person.email, user_agent=SAFARI_ON_IPHONE)
    renamed = await person.patch(f"/v1/sessions/{phone.id}", {"name": "My phone 📱"})
    assert renamed.status_code == 200
    assert renamed.json()["name"] == "My phone 📱"
    assert renamed.json()["current"] is False
    assert "My phone 📱" in [item["name"] for item in await listed(person)]
    blank = await person.patch(f"/v1/sessions/{phone.id}", {"name": ""})
    assert blank.json()["name"] == "Safari on iPhone"
    assert_problem(await person.patch(f"/v1/sessions/{phone.id}", {}), 422, "validation_failed")
    assert_problem(await person.patch(f"/v1/sessions/{phone.id}", {"name": "x" * 101}), 422, "validation_failed")


async def test_an_ended_session_cannot_be_renamed(service: Service) -> None:
    person = await service.register()
    phone = await service.login(person.email)
    await person.delete(f"/v1/sessions/{phone.id}")
    assert_problem(await person.patch(f"/v1/sessions/{phone.id}", {"name": "ghost"}), 404, "not_found")


async def test_ending_a_session_again_changes_nothing(service: Service) -> None:
    person = await service.register()
    phone = await service.login(person.email)
    for _ in range(2):
        assert (await person.delete(f"/v1/sessions/{phone.id}")).status_code == 204
    [ended] = [item for item in await listed(person, "?include=ended") if item["id"] == phone.id]
    assert ended["end_reason"] == "signed_out_elsewhere"
    assert (
        await service.sql.fetchval("select ended_by from gatepost.sessions where id = $1", phone.id) == person.user_id
    )


async def test_another_persons_session_is_not_found(service: Service) -> None:
    person, stranger = await service.register(), await service.register()
    for path in (f"/v1/sessions/{stranger.id}", f"/v1/sessions/{uuid4()}"):
        assert_problem(await person.delete(path), 404, "not_found")
        assert_problem(await person.patch(path, {"name": "mine"}), 404, "not_found")
    assert (await stranger.get("/v1/me")).status_code == 200


async def test_ending_the_others_leaves_this_one(service: Service) -> None:
    person = await service.register()
    others = [await service.login(person.email) for _ in range(3)]
    stranger = await service.register()
    answer = await person.delete("/v1/sessions")
    assert answer.json() == {"revoked": 3}
    for other in others:
        assert_problem(await other.get("/v1/me"), 401, "session_revoked")
    assert (await person.get("/v1/me")).status_code == 200
    assert (await stranger.get("/v1/me")).status_code == 200
    assert (await person.delete("/v1/sessions")).json() == {"revoked": 0}


async def test_ending_other_devices_needs_a_recent_password(service: Service) -> None:
    person = await service.register()
    phone = await service.login(person.email)
    await age(service, person, "authenticated_at", "16 minutes")
    assert_problem(await person.delete("/v1/sessions"), 403, "reauthentication_required")
    assert_problem(await person.delete(f"/v1/sessions/{phone.id}"), 403, "reauthentication_required")
    assert len(await listed(person)) == 2

    assert (await person.post("/v1/auth/reauthenticate", {"password": PASSWORD})).status_code == 204
    assert (await person.delete("/v1/sessions")).json() == {"revoked": 1}


async def test_ending_this_device_needs_no_recent_password(service: Service) -> None:
    person = await service.register()
    await age(service, person, "authenticated_at", "16 minutes")
    assert (await person.delete(f"/v1/sessions/{person.id}")).status_code == 204
    assert assert_problem(await person.get("/v1/me"), 401, "session_revoked")["reason"] == "signed_out"


async def test_the_sixth_sign_in_evicts_the_least_recently_active(service: Service) -> None:
    person = await service.register()
    devices = [person, *[await service.login(person.email) for _ in range(4)]]
    await age(service, devices[2], "last_active_at", "1 hour")

    sixth = await service.login(person.email)
    assert [session["id"] for session in sixth.answer["evicted"]] == [devices[2].id]
    assert sixth.answer["evicted"][0]["end_reason"] == "evicted"
    assert sixth.answer["evicted"][0]["status"] == "revoked"
    assert len(await listed(sixth)) == 5
    assert assert_problem(await devices[2].get("/v1/me"), 401, "session_revoked")["reason"] == "evicted"


async def test_a_lower_cap_evicts_as_many_as_it_takes(service: Service, database_url: str) -> None:
    person = await service.register()
    for _ in range(4):
        await service.login(person.email)
    async with running_service(database_url, max_sessions=2) as stricter:
        last = await stricter.login(person.email)
        assert len(last.answer["evicted"]) == 4
        assert len(await listed(last)) == 2


async def test_sessions_whose_time_is_over_take_no_place(service: Service) -> None:
    person = await service.register()
    devices = [person, *[await service.login(person.email) for _ in range(4)]]
    await age(service, devices[0], "last_active_at", "31 days")
    await age(service, devices[1], "expires_at", "1 s")
    sixth = await service.login(person.email)
    assert sixth.answer["evicted"] == []
    reasons = {item["id"]: item["end_reason"] for item in await listed(sixth, "?include=ended")}
    assert reasons[devices[0].id] == "idle"
    assert reasons[devices[1].id] == "expired"


@pytest.mark.parametrize(
    ("column", "interval", "code"),
    [("last_active_at", "31 days", "session_idle"), ("expires_at", "0 s", "session_expired")],
)
async def test_a_session_whose_time_is_over_is_refused_by_every_door(
    service: Service, column: str, interval: str, code: str
) -> None:
    person = await service.register()
    await age(service, person, column, interval)
    reason = code.removeprefix("session_")
    assert assert_problem(await person.get("/v1/me"), 401, code)["reason"] == reason
    assert_problem(await person.refresh(), 401, code)
    row = await service.sql.fetchrow("select * from gatepost.sessions where id = $1", person.id)
    assert row is not None
    assert row["end_reason"] == reason

    # What has ended stays ended, even where the time is set back.
    await service.sql.execute(
        "update gatepost.sessions set last_active_at = now(), expires_at = now() + interval '1 d'"
    )
    assert_problem(await person.get("/v1/me"), 401, code)


async def test_a_refresh_notices_the_end_of_time_by_itself(service: Service) -> None:
    person = await service.register()
    await age(service, person, "last_active_at", "31 days")
    assert_problem(await person.refresh(), 401, "session_idle")
    assert await service.sql.fetchval("select end_reason from gatepost.sessions") == "idle"


async def test_ended_sessions_are_listed_last_and_only_when_asked_for(service: Service) -> None:
    person = await service.register()
    phones = [await service.login(person.email) for _ in range(3)]
    await person.delete(f"/v1/sessions/{phones[0].id}")
    await person.delete(f"/v1/sessions/{phones[1].id}")
    assert [item["id"] for item in await listed(person)] == [person.id, phones[2].id]
    everything = await listed(person, "?include=ended")
    assert [item["id"] for item in everything] == [person.id, phones[2].id, phones[1].id, phones[0].id]
    assert [item["status"] for item in everything] == ["active", "active", "revoked", "revoked"]
    assert everything[2]["ended_at"]
    assert_problem(await person.get("/v1/sessions?include=everything"), 422, "validation_failed")


async def test_pages_hold_every_session_once_in_order(service: Service) -> None:
    person = await service.register()
    for _ in range(8):
        await service.login(person.email)
    person = await service.login(person.email)
    whole = [item["id"] for item in await listed(person, "?include=ended")]
    assert len(whole) == 10

    paged: list[str] = []
    cursor = ""
    while True:
        page = (await person.get(f"/v1/sessions?include=ended&limit=3{cursor}")).json()
        assert 1 <= len(page["items"]) <= 3
        paged += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert paged == whole


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=101", "limit=x", "cursor=x", "cursor=W10", "cursor=%00", "cursor=" + "A" * 201),
        # base64 of: [1, 99999999999999999999, "…"], ["a", 1, 2], {}
        *("cursor=WzEsOTk5OTk5OTk5OTk5OTk5OTk5OTksIngiXQ", "cursor=WyJhIiwxLDJd", "cursor=e30"),
    ],
)
async def test_a_page_that_is_none_is_refused(service: Service, query: str) -> None:
    person = await service.register()
    assert_problem(await person.get(f"/v1/sessions?{query}"), 422, "validation_failed")


async def test_registering_the_session_at_hand(service: Service) -> None:
    person = await service.register()
    answer = await person.post("/v1/sessions", {})
    assert answer.status_code == 200
    assert answer.json()["id"] == person.id
    named = await person.post("/v1/sessions", {"device_name": "Work laptop"})
    assert named.json()["name"] == "Work laptop"


async def test_activity_is_noted_once_an_interval_and_with_the_new_address(database_url: str) -> None:
    async with running_service(database_url, trusted_proxies="127.0.0.1") as service:
        person = await service.register()
        read = "select last_active_at, last_active_on, ip, xmin::text from gatepost.sessions where id = $1"
        fresh = await service.sql.fetchrow(read, person.id)
        await person.get("/v1/me", headers={"X-Forwarded-For": "192.0.2.9"})
        assert await service.sql.fetchrow(read, person.id) == fresh

        await age(service, person, "last_active_at", "6 minutes")
        await person.get("/v1/me", headers={"X-Forwarded-For": "192.0.2.9"})
        row = await service.sql.fetchrow(read, person.id)
        assert row is not None
        assert fresh is not None
        assert row["last_active_at"] > fresh["last_active_at"]
        assert str(row["ip"]) == "192.0.2.9"


async def test_without_a_trusted_proxy_nobody_chooses_their_address(service: Service) -> None:
    headers = {"X-Forwarded-For": "192.0.2.9", "Forwarded": "for=192.0.2.9", "X-Real-IP": "192.0.2.9"}
    form = {"email": "ada@example.com", "password": PASSWORD}
    answer = await service.http.post("/v1/auth/register", json=form, headers=headers)
    assert answer.json()["session"]["ip"] == "127.0.0.1"
