"""What other sites can have a signed-in browser send: nothing that changes anything, by any operation of the API.

OWASP ASVS 3.5.1 to 3.5.3 and 3.4.2.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.support import PASSWORD, Device, Service, assert_problem, running_service
from tests.support.mail import pause_mail
from tests.support.operations import OPERATIONS, Belongings, create_belongings, digest_tables, outcome, request_for

SENDS_NO_MAIL = True

# Where a request comes from, as a browser shows it. `{own}` is our own origin.
ELSEWHERE: list[list[tuple[str, str]]] = [
    [],
    [("Origin", "https://evil.example")],
    [("Origin", "null")],
    [("Origin", "")],
    [("Origin", "http://127.0.0.1")],
    [("Origin", "http://127.0.0.1:1")],
    [("Origin", "{own}.evil.example")],
    [("Origin", "{own}@evil.example")],
    [("Origin", "{own}/")],
    [("Origin", "{own} https://evil.example")],
    [("Origin", "https://evil.example"), ("Origin", "{own}")],
    [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "same-origin")],
    [("Sec-Fetch-Site", "cross-site")],
    [("Sec-Fetch-Site", "same-site")],
    [("Sec-Fetch-Site", "none")],
    [("Sec-Fetch-Site", "same-origin, cross-site")],
    [("Referer", "{own}/devices")],
    [("X-Forwarded-Host", "evil.example"), ("Origin", "https://evil.example")],
    [("Forwarded", "host=evil.example"), ("Origin", "https://evil.example")],
]
# These take cookies only if they ask for them.
SIGNING_IN = ("login", "register")
# These use a cookie without demanding one.
BY_COOKIE = (*SIGNING_IN, "refresh", "logout")


@asynccontextmanager
async def signed_in_browser(database_url: str) -> AsyncIterator[tuple[Service, httpx.AsyncClient, Belongings]]:
    """An admin's browser, signed in by cookie, which does not show where its requests come from."""
    async with running_service(database_url) as service, service.browser() as browser:
        admin = await service.register_admin()
        theirs = await create_belongings(service, admin)
        await pause_mail(service)
        form = {"email": admin.email, "password": PASSWORD, "transport": "cookie"}
        assert (await browser.post("/v1/auth/login", json=form)).status_code == 200
        del browser.headers["Origin"]
        yield service, browser, theirs


def headers_from(service: Service, place: list[tuple[str, str]]) -> list[tuple[str, str]]:
    own = str(service.http.base_url).rstrip("/")
    return [(name, value.format(own=own)) for name, value in place]


async def test_no_other_site_can_change_anything(database_url: str) -> None:
    async with signed_in_browser(database_url) as (service, browser, theirs):
        assert (await browser.get("/v1/admin/users")).status_code == 200
        before = await digest_tables(service.sql)
        faults = []
        for operation in OPERATIONS.values():
            if operation.is_safe or not (operation.security or operation.id in BY_COOKIE):
                continue
            for place in ELSEWHERE:
                request = request_for(operation, theirs)
                if operation.id in SIGNING_IN:
                    request["json"]["transport"] = "cookie"
                elif operation.id in BY_COOKIE:
                    del request["json"]
                response = await browser.request(**request, headers=headers_from(service, place))
                if outcome(response) != "403 csrf_failed" or "set-cookie" in response.headers:
                    faults.append(f"{operation.id} from {place}: {outcome(response)}")
        assert not faults, "\n".join(faults)
        assert await digest_tables(service.sql) == before
        assert (await browser.get("/v1/me")).status_code == 200


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None]
)
async def test_no_form_of_another_site_changes_anything(database_url: str, media_type: str | None) -> None:
    """What a browser sends without asking the service first (the simple requests of CORS)."""
    async with signed_in_browser(database_url) as (service, browser, theirs):
        before = await digest_tables(service.sql)
        for operation in OPERATIONS.values():
            # Without a body or a cookie there is nothing of another site's to send.
            if operation.method == "POST" and operation.security:
                arguments: dict[str, Any] = request_for(operation, theirs)
                arguments.pop("json", None)
                headers = {"Origin": "https://evil.example"} | ({"Content-Type": media_type} if media_type else {})
                response = await browser.request(**arguments, content=b"{}", headers=headers)
                assert outcome(response) in ("403 csrf_failed", "415 unsupported_media_type"), operation.id
        assert await digest_tables(service.sql) == before


async def test_reading_changes_nothing(database_url: str) -> None:
    """A link, an image or a prefetch cannot: no GET or HEAD of any operation writes, whatever method it pretends."""
    async with signed_in_browser(database_url) as (service, browser, theirs):
        before = await digest_tables(service.sql)
        for operation in OPERATIONS.values():
            request = request_for(operation, theirs)
            request.pop("json", None)
            for method in ("GET", "HEAD"):
                for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
                    headers = {name: operation.method, "Sec-Fetch-Site": "cross-site"}
                    response = await browser.request(**request | {"method": method}, headers=headers)
                    assert response.status_code < 500, (operation.id, response.text)
        assert await digest_tables(service.sql) == before


async def test_only_allowed_origins_may_read(database_url: str) -> None:
    async with running_service(database_url, allowed_origins="https://spa.example.com") as service:
        await pause_mail(service)
        user = await service.register()
        for origin, allowed in (
            ("https://spa.example.com", True),
            ("https://evil.example", False),
            ("https://spa.example.com.evil.example", False),
            ("http://spa.example.com", False),
            ("null", False),
        ):
            preflight = {
                "Origin": origin,
                "Access-Control-Request-Method": "DELETE",
                "Access-Control-Request-Headers": "content-type",
            }
            for response in (
                await user.get("/v1/sessions", headers={"Origin": origin}),
                await service.http.options("/v1/sessions", headers=preflight),
            ):
                found = response.headers.get("access-control-allow-origin")
                assert found == (origin if allowed else None), (origin, response.headers)
                assert "Origin" in response.headers.get("vary", "")


async def test_without_allowed_origins_nobody_else_may_read(service: Service) -> None:
    user: Device = await service.register()
    response = await user.get("/v1/sessions", headers={"Origin": "https://evil.example"})
    assert response.status_code == 200
    assert not [name for name in response.headers if name.startswith("access-control-")]
    options = await service.http.options("/v1/sessions", headers={"Origin": "https://evil.example"})
    assert_problem(options, 405, "method_not_allowed")
