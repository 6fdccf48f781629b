"""What the browser is given, and what it is not."""

from __future__ import annotations

import re

from playwright.async_api import Response, expect

from tests.e2e.pages import Visitors, expect_rows, sign_in, someone
from tests.support import Service, assert_problem

_VISIBLE = """() => JSON.stringify([
  {...localStorage}, {...sessionStorage}, document.cookie, history.state, document.documentElement.outerHTML,
  Object.entries(window).filter(([, value]) => typeof value === "string"),
])"""


async def test_no_script_ever_sees_a_token(service: Service, visitors: Visitors) -> None:
    email = await someone(service)
    page = await visitors.open(service, "/login")
    answers: list[Response] = []

    def keep(answer: Response) -> None:
        answers.append(answer)

    page.on("response", keep)
    await sign_in(page, email)
    await expect_rows(page, "Chrome on Windows")

    cookies = await page.context.cookies()
    assert {cookie["name"] for cookie in cookies} == {"gatepost", "gatepost_refresh", "gatepost_device"}
    assert all(cookie["httpOnly"] and cookie["sameSite"] == "Lax" for cookie in cookies)
    told = [await answer.text() for answer in answers if "/v1/" in answer.url]
    visible = "\n".join([str(await page.evaluate(_VISIBLE)), *told])
    assert email in visible
    for cookie in cookies:
        assert cookie["value"] not in visible
    assert "eyJ" not in visible
    assert await page.evaluate("document.cookie") == ""


async def test_pages_come_with_a_strict_policy_and_assets_for_good(service: Service) -> None:
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


async def test_an_unknown_path_of_the_api_is_no_page(service: Service) -> None:
    for accept in ("*/*", "application/json"):
        answer = await service.http.get("/v1/nothing", headers={"Accept": accept})
        assert_problem(answer, 404, "not_found")


async def test_an_address_can_be_opened_directly(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await someone(service), "/devices?from=mail")
    await expect_rows(page, "Chrome on Windows")
    await expect(page).to_have_title("Devices · Gatepost")


async def test_an_address_of_nothing_says_so(service: Service, visitors: Visitors) -> None:
    page = await visitors.open(service, "/nowhere")
    await expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    await page.get_by_role("link", name="Go to your devices").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
