"""Sessions by cookie and by bearer header, and the origins that may write by cookie."""

from __future__ import annotations

from http.cookies import SimpleCookie

import httpx
import pytest

from tests.support import PASSWORD, Service, assert_problem, running_service

SENDS_NO_MAIL = True


async def sign_in(browser: httpx.AsyncClient, service: Service) -> httpx.Response:
    user = await service.register()
    form = {"email": user.email, "password": PASSWORD, "transport": "cookie"}
    response = await browser.post("/v1/auth/login", json=form)
    assert response.status_code == 200, response.text
    return response


async def test_with_cookie_transport_tokens_are_only_in_cookies(service: Service) -> None:
    async with service.browser() as browser:
        response = await sign_in(browser, service)
        assert response.json()["access_token"] is None
        assert response.json()["refresh_token"] is None
        for header in response.headers.get_list("set-cookie"):
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
        user = await service.register()
        form = {"email": user.email, "password": PASSWORD, "transport": "cookie"}
        headers = {"Origin": "https://app.example.com"}
        response = await service.http.post("/v1/auth/login", json=form, headers=headers)
        for header in response.headers.get_list("set-cookie"):
            [cookie] = SimpleCookie(header).values()
            assert cookie.key in ("__Host-gatepost", "__Host-gatepost_refresh", "__Host-gatepost_device")
            assert cookie["secure"]


async def test_refreshing_by_cookie_rotates_both_tokens(service: Service) -> None:
    async with service.browser() as browser:
        await sign_in(browser, service)
        before = dict(browser.cookies)
        response = await browser.post("/v1/auth/refresh")
        assert response.status_code == 200
        assert response.json()["refresh_token"] is None
        assert browser.cookies["gatepost_refresh"] != before["gatepost_refresh"]
        assert (await browser.get("/v1/me")).status_code == 200


async def test_the_refresh_cookie_alone_can_sign_out(service: Service) -> None:
    async with service.browser() as browser:
        await sign_in(browser, service)
        access = browser.cookies["gatepost"]
        del browser.cookies["gatepost"]
        response = await browser.post("/v1/auth/logout")
        assert response.status_code == 204
        # The known-device cookie stays: it says nothing about who is signed in.
        assert set(browser.cookies) == {"gatepost_device"}
        rejected = await service.http.get("/v1/me", headers={"Authorization": f"Bearer {access}"})
        assert_problem(rejected, 401, "session_revoked")


async def test_an_ended_session_is_rejected_by_cookie_bearer_and_refresh(service: Service) -> None:
    async with service.browser() as browser:
        response = await sign_in(browser, service)
        token = browser.cookies["gatepost"]
        session = response.json()["session"]["id"]
        assert (await browser.delete(f"/v1/sessions/{session}")).status_code == 204
        bearer = {"Authorization": f"Bearer {token}"}
        assert_problem(await browser.get("/v1/me"), 401, "session_revoked")
        assert_problem(await browser.post("/v1/auth/refresh"), 401, "session_revoked")
        assert_problem(await service.http.get("/v1/me", headers=bearer), 401, "session_revoked")


async def test_a_browser_that_signs_in_again_replaces_its_session(service: Service) -> None:
    async with service.browser() as browser:
        user = await service.register()
        form = {"email": user.email, "password": PASSWORD, "transport": "cookie"}
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
async def test_other_origins_cannot_write_by_cookie(service: Service, headers: dict[str, str]) -> None:
    async with service.browser() as browser:
        response = await sign_in(browser, service)
        session = response.json()["session"]["id"]
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
            rejected = await browser.request(method, path, json=body, headers=headers)
            assert_problem(rejected, 403, "csrf_failed")
        assert (await browser.get("/v1/me", headers=headers)).status_code == 200


async def test_our_own_origin_may_write_shown_by_either_header(service: Service) -> None:
    async with service.browser() as browser:
        await sign_in(browser, service)
        assert (await browser.post("/v1/sessions", json={})).status_code == 200
        del browser.headers["Origin"]
        same_origin = {"Sec-Fetch-Site": "same-origin"}
        assert (await browser.post("/v1/sessions", json={}, headers=same_origin)).status_code == 200


async def test_allowed_origins_may_write_and_read(database_url: str) -> None:
    given = {"public_url": "http://app.example.com/account", "allowed_origins": "https://spa.example.com"}
    async with running_service(database_url, **given) as service, service.browser() as browser:
        browser.headers["Origin"] = "https://spa.example.com"
        await sign_in(browser, service)
        response = await browser.post("/v1/sessions", json={})
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == "https://spa.example.com"
        assert response.headers["access-control-allow-credentials"] == "true"
        same_origin = await browser.post("/v1/sessions", json={}, headers={"Origin": "http://app.example.com"})
        assert same_origin.status_code == 200
        # With a public URL the request's own host does not count.
        base = str(service.http.base_url).rstrip("/")
        assert_problem(await browser.post("/v1/sessions", json={}, headers={"Origin": base}), 403, "csrf_failed")


async def test_a_bearer_header_needs_no_origin_and_wins_over_a_cookie(service: Service) -> None:
    async with service.browser() as browser:
        await sign_in(browser, service)
        user = await service.register()
        del browser.headers["Origin"]
        bearer = {"Authorization": f"Bearer {user.access_token}"}
        me = await browser.get("/v1/me", headers=bearer)
        assert me.json()["session"]["id"] == user.id
        assert (await browser.post("/v1/sessions", json={}, headers=bearer)).status_code == 200
        for header, code in (
            ("Bearer nonsense", "token_invalid"),
            ("Bearer", "not_authenticated"),
            ("bearer", "not_authenticated"),
        ):
            assert_problem(await browser.get("/v1/me", headers={"Authorization": header}), 401, code)


async def test_a_form_of_another_origin_does_not_sign_out(service: Service) -> None:
    headers = {"Origin": "https://evil.example", "Content-Type": "application/x-www-form-urlencoded"}
    response = await service.http.post("/v1/auth/logout", headers=headers)
    assert response.status_code == 204
    assert "set-cookie" not in response.headers


async def test_another_authorization_scheme_does_not_disable_the_cookie(service: Service) -> None:
    async with service.browser() as browser:
        await sign_in(browser, service)
        assert (await browser.get("/v1/me", headers={"Authorization": "Basic YTpi"})).status_code == 200


async def test_cookies_have_the_configured_name(database_url: str) -> None:
    async with (
        running_service(database_url, cookie_name="shop") as service,
        service.browser() as browser,
    ):
        await sign_in(browser, service)
        assert set(browser.cookies) == {"shop", "shop_refresh", "shop_device"}
        token = browser.cookies["shop"]
        browser.cookies.clear()
        assert_problem(await browser.get("/v1/me", headers={"Cookie": f"gatepost={token}"}), 401, "not_authenticated")
