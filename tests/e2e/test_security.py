"""What a browser is given, and what it never gets."""

from __future__ import annotations

import re

from playwright.async_api import Response, expect

from tests.support import Service, assert_problem
from tests.support.browser.pages import Visitors, create_user, expect_devices, sign_in

_VISIBLE = """() => JSON.stringify([
  {...localStorage}, {...sessionStorage}, document.cookie, history.state, document.documentElement.outerHTML,
  Object.entries(window).filter(([, value]) => typeof value === "string"),
])"""


async def test_no_script_can_read_a_token(service: Service, visitors: Visitors) -> None:
    email = await create_user(service)
    page = await visitors.open(service, "/login")
    responses: list[Response] = []

    def collect(response: Response) -> None:
        responses.append(response)

    page.on("response", collect)
    await sign_in(page, email)
    await expect_devices(page, "Chrome on Windows")

    cookies = await page.context.cookies()
    assert {cookie["name"] for cookie in cookies} == {"gatepost", "gatepost_refresh", "gatepost_device"}
    assert all(cookie["httpOnly"] and cookie["sameSite"] == "Lax" for cookie in cookies)
    bodies = [await response.text() for response in responses if "/v1/" in response.url]
    visible = "\n".join([str(await page.evaluate(_VISIBLE)), *bodies])
    assert email in visible
    for cookie in cookies:
        assert cookie["value"] not in visible
    assert "eyJ" not in visible
    assert await page.evaluate("document.cookie") == ""


async def test_pages_have_a_strict_policy_and_assets_are_cached_forever(service: Service) -> None:
    page = await service.http.get("/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["cache-control"] == "no-cache"
    assert page.headers["referrer-policy"] == "same-origin"
    assert page.headers["cross-origin-opener-policy"] == "same-origin"

    paths = re.findall(r'"(/assets/[^"]+)"', page.text)
    assert paths
    for path in paths:
        asset = await service.http.get(path)
        assert asset.status_code == 200
        assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_an_unknown_path_of_the_api_is_not_a_page(service: Service) -> None:
    for accept in ("*/*", "application/json"):
        response = await service.http.get("/v1/nothing", headers={"Accept": accept})
        assert_problem(response, 404, "not_found")


async def test_a_page_can_be_opened_by_its_url(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await create_user(service), "/devices?from=mail")
    await expect_devices(page, "Chrome on Windows")
    await expect(page).to_have_title("Devices · Gatepost")


async def test_an_unknown_url_is_not_found(service: Service, visitors: Visitors) -> None:
    page = await visitors.open(service, "/nowhere")
    await expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    await page.get_by_role("link", name="Go to your devices").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
