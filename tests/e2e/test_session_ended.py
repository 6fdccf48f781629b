"""A session that ends while its page is open."""

from __future__ import annotations

import asyncio

from playwright.async_api import Page, Route, expect

from tests.support import SAFARI_ON_IPHONE, Service
from tests.support.browser.pages import Visitors, button, create_user, expect_devices, expect_login, sign_in, toasts

_END_SESSIONS = "update gatepost.sessions set ended_at = now(), end_reason = $1 where ended_at is null"
_ALERTS = {
    "signed_out_by_admin": "This device was signed out by an admin.",
    "evicted": "This device was signed out because you signed in on too many other devices.",
    "idle": "This device was not used for a long time. Sign in again.",
}


async def test_the_next_request_leads_to_the_login_page_which_says_why(service: Service, visitors: Visitors) -> None:
    email = await create_user(service)
    page = await visitors.open(service, "/login")
    for reason, alert in _ALERTS.items():
        await service.login(email, user_agent=SAFARI_ON_IPHONE)
        await sign_in(page, email)
        await expect_devices(page, "Chrome on Windows", "Safari on iPhone")
        await service.sql.execute(_END_SESSIONS, reason)

        await button(page, "Sign out Safari on iPhone").click()
        await expect_login(page, alert)
        await expect(toasts(page).get_by_role("heading")).to_have_count(0)


async def test_several_failed_requests_navigate_once(service: Service, visitors: Visitors) -> None:
    email = await create_user(service)
    await service.login(email, user_agent=SAFARI_ON_IPHONE)
    page = await visitors.signed_in(service, email)
    await expect_devices(page, "Chrome on Windows", "Safari on iPhone")
    await service.sql.execute(_END_SESSIONS, "signed_out_elsewhere")
    visited: list[str] = []
    page.on("framenavigated", lambda frame: visited.append(frame.url))
    length = await page.evaluate("history.length")

    await send_together(page, 2)
    await button(page, "Sign out Safari on iPhone").click()
    await page.get_by_text("Signed-out devices").click()
    await expect_login(page, "This device was signed out from another device.")
    await page.wait_for_load_state("networkidle")
    assert len(visited) == 1
    assert await page.evaluate("history.length") == length


async def send_together(page: Page, count: int) -> None:
    """Hold the page's requests about sessions back until there are that many."""
    barrier = asyncio.Barrier(count)
    requests = 0

    async def wait(route: Route) -> None:
        nonlocal requests
        requests += 1
        if requests <= count:
            await barrier.wait()
        await route.continue_()

    await page.route("**/v1/sessions**", wait)
    await page.route("**/v1/sessions/**", wait)
