"""Bearer header and cookies, and whose pages may write by cookie."""

from __future__ import annotations

from http.cookies import SimpleCookie

import httpx
import pytest
from tests.support import PASSWORD, Service, assert_problem, running_service


async def sign_in(browser: httpx.AsyncClient, service: Service) -> httpx.Response:
    person = await service.register()
    form = {"email": person.email, "password": PASSWORD, "transport": "cookie"}
    answer = await browser.post("/v1/auth/login", json=form)
    assert answer.status_code == 200, answer.text
    return answer


async def test_with_cookies_the_tokens_travel_only_in_cookies(service: Service) -> None:
    async with service.browser() as browser:
        answer = await sign_in(browser, service)
        assert answer.json()["access_token"] is None
        assert answer.json()["refresh_token"] is None
        for header in answer.headers.get_list("set-cookie"):
            [cookie] = SimpleCookie(header).values()
            assert cookie["httponly"]
            assert cookie["samesite"] == "lax"
            assert cookie["path"] == "/"
            assert not cookie["domain"]
            assert not cookie["secure"]
        assert set(browser.cookies) == {"gatepost", "gatepost_refresh", "gatepost_device"}
        assert (await browser.get("/v1/me")).json()["session"]["current"] is True


async def test_with_https_cookies_are_secure_and_bound_to_the_host(database_url: str) -> None:
    async with running_service(database_url, public_url="https://app.example.com") as service:
        person = await service.register()
        form = {"email": person.email, "password": PASSWORD, "transport": "cookie"}
        headers = {"Origin": "https://app.example.com"}
        answer = await service.http.post("/v1/auth/login", json=form, headers=headers)
        for header in answer.headers.get_list("set-cookie"):
            [cookie] = SimpleCookie(header).values()
            assert cookie.key in ("__Host-gatepost", "__Host-gatepost_refresh", "__Host-gatepost_device")
            assert cookie["secure"]


async def test_refreshing_by_cookie_rotates_both(service: Service) -> None:
    async with service.browser() as browser:
        await sign_in(browser, service)
        before = dict(browser.cookies)
        answer = await browser.post("/v1/auth/refresh")
        assert answer.status_code == 200
        assert answer.json()["refresh_token"] is None
        assert browser.cookies["gatepost_refresh"] != before["gatepost_refresh"]
        assert (await browser.get("/v1/me")).status_code == 200


async def test_logging_out_by_the_refresh_cookie_alone(service: Service) -> None:
    async with service.browser() as browser:
        await sign_in(browser, service)
        access = browser.cookies["gatepost"]
        del browser.cookies["gatepost"]
        answer = await browser.post("/v1/auth/logout")
        assert answer.status_code == 204
        # That this browser is known says nothing of who uses it now.
        assert set(browser.cookies) == {"gatepost_device"}
        refused = await service.http.get("/v1/me", headers={"Authorization": f"Bearer {access}"})
        assert_problem(refused, 401, "session_revoked")


async def test_an_ended_session_is_refused_by_every_door(service: Service) -> None:
    async with service.browser() as browser:
        answer = await sign_in(browser, service)
        token = browser.cookies["gatepost"]
        session = answer.json()["session"]["id"]
        assert (await browser.delete(f"/v1/sessions/{session}")).status_code == 204
        bearer = {"Authorization": f"Bearer {token}"}
        assert_problem(await browser.get("/v1/me"), 401, "session_revoked")
        assert_problem(await browser.post("/v1/auth/refresh"), 401, "session_revoked")
        assert_problem(await service.http.get("/v1/me", headers=bearer), 401, "session_revoked")


async def test_a_browser_that_signs_in_again_replaces_its_session(service: Service) -> None:
    async with service.browser() as browser:
        person = await service.register()
        form = {"email": person.email, "password": PASSWORD, "transport": "cookie"}
        first = (await browser.post("/v1/auth/login", json=form)).json()["session"]["id"]
        second = (await browser.post("/v1/auth/login", json=form)).json()["session"]["id"]
        items = (await browser.get("/v1/sessions?include=ended")).json()["items"]
        reasons = {item["id"]: item["end_reason"] for item in items}
        assert reasons[first] == "signed_out"
        assert reasons[second] is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
        {"Referer": "http://127.0.0.1/"},
    ],
)
async def test_other_pages_cannot_write_by_cookie(service: Service, headers: dict[str, str]) -> None:
    async with service.browser() as browser:
        answer = await sign_in(browser, service)
        session = answer.json()["session"]["id"]
        del browser.headers["Origin"]
        form = {"email": "a@example.com", "password": PASSWORD, "transport": "cookie"}
        for method, path, body in (
            ("POST", "/v1/auth/login", form),
            ("POST", "/v1/auth/register", form),
            ("POST", "/v1/auth/refresh", None),
            ("POST", "/v1/auth/logout", None),
            ("POST", "/v1/auth/reauthenticate", {"password": PASSWORD}),
            ("POST", "/v1/sessions", {}),
            ("PATCH", f"/v1/sessions/{session}", {"name": "x"}),
            ("DELETE", f"/v1/sessions/{session}", None),
            ("DELETE", "/v1/sessions", None),
        ):
            refused = await browser.request(method, path, json=body, headers=headers)
            assert_problem(refused, 403, "csrf_failed")
        assert (await browser.get("/v1/me", headers=headers)).status_code == 200


async def test_our_own_pages_may_write_shown_by_either_header(service: Service) -> None:
    async with service.browser() as browser:
        await sign_in(browser, service)
        assert (await browser.post("/v1/sessions", json={})).status_code == 200
        del browser.headers["Origin"]
        ours = {"Sec-Fetch-Site": "same-origin"}
        assert (await browser.post("/v1/sessions", json={}, headers=ours)).status_code == 200


async def test_allowed_origins_may_write_and_read_across(database_url: str) -> None:
    given = {"public_url": "http://app.example.com/account", "allowed_origins": "https://spa.example.com"}
    async with running_service(database_url, **given) as service, service.browser() as browser:
        browser.headers["Origin"] = "https://spa.example.com"
        await sign_in(browser, service)
        answer = await browser.post("/v1/sessions", json={})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "https://spa.example.com"
        assert answer.headers["access-control-allow-credentials"] == "true"
        ours = await browser.post("/v1/sessions", json={}, headers={"Origin": "http://app.example.com"})
        assert ours.status_code == 200
        # With a public URL the host that the request names counts for nothing.
        base = str(service.http.base_url).rstrip("/")
        assert_problem(await browser.post("/v1/sessions", json={}, headers={"Origin": base}), 403, "csrf_failed")


async def test_bearer_needs_no_origin_and_wins_over_a_cookie_without_falling_back(service: Service) -> None:
    async with service.browser() as browser:
        await sign_in(browser, service)
        person = await service.register()
        del browser.headers["Origin"]
        bearer = {"Authorization": f"Bearer {person.access_token}"}
        me = await browser.get("/v1/me", headers=bearer)
        assert me.json()["session"]["id"] == person.id
        assert (await browser.post("/v1/sessions", json={}, headers=bearer)).status_code == 200
        for header, code in (
            ("Bearer nonsense", "token_invalid"),
            ("Bearer", "not_authenticated"),
            ("bearer", "not_authenticated"),
        ):
            assert_problem(await browser.get("/v1/me", headers={"Authorization": header}), 401, code)


async def test_another_sites_form_does_not_sign_a_browser_out(service: Service) -> None:
    headers = {"Origin": "https://evil.example", "Content-Type": "application/x-www-form-urlencoded"}
    answer = await service.http.post("/v1/auth/logout", headers=headers)
    assert answer.status_code == 204
    assert "set-cookie" not in answer.headers


async def test_another_scheme_leaves_the_cookie_alone(service: Service) -> None:
    async with service.browser() as browser:
        await sign_in(browser, service)
        assert (await browser.get("/v1/me", headers={"Authorization": "Basic YTpi"})).status_code == 200


async def test_two_cookie_names_do_not_meet(database_url: str) -> None:
    async with (
        running_service(database_url, cookie_name="staff") as service,
        service.browser() as browser,
    ):
        await sign_in(browser, service)
        assert set(browser.cookies) == {"staff", "staff_refresh", "staff_device"}
        token = browser.cookies["staff"]
        browser.cookies.clear()
        assert_problem(await browser.get("/v1/me", headers={"Cookie": f"gatepost={token}"}), 401, "not_authenticated")
