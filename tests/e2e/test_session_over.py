"""A session that ended while its page was open."""

from __future__ import annotations

import asyncio

from playwright.async_api import Frame, Page, Route, expect

from tests.e2e.pages import Visitors, button, expect_login, expect_rows, sign_in, someone
from tests.support import SAFARI_ON_IPHONE, Service

_END = "update gatepost.sessions set ended_at = now(), end_reason = $1 where ended_at is null"


_TOLD = {
    "signed_out_by_admin": "This device was signed out by an administrator.",
    "evicted": "This device was signed out because you signed in on too many others.",
    "idle": "This device was not used for a long time. Sign in again.",
}


async def test_the_next_step_leads_to_the_login_page_that_says_why(service: Service, visitors: Visitors) -> None:
    email = await someone(service)
    page = await visitors.open(service, "/login")
    for reason, told in _TOLD.items():
        await service.login(email, user_agent=SAFARI_ON_IPHONE)
        await sign_in(page, email)
        await expect_rows(page, "Chrome on Windows", "Safari on iPhone")
        await service.sql.execute(_END, reason)

        await button(page, "Sign out Safari on iPhone").click()
        await expect_login(page, told)
        await expect(page.get_by_role("region", name="Notifications").get_by_role("heading")).to_have_count(0)


async def test_refusals_at_once_lead_there_once(service: Service, visitors: Visitors) -> None:
    email = await someone(service)
    await service.login(email, user_agent=SAFARI_ON_IPHONE)
    page = await visitors.signed_in(service, email)
    await expect_rows(page, "Chrome on Windows", "Safari on iPhone")
    await service.sql.execute(_END, "signed_out_elsewhere")
    visited: list[str] = []
    page.on("framenavigated", lambda frame: note(frame, visited))
    length = await page.evaluate("history.length")

    await send_together(page, 2)
    await button(page, "Sign out Safari on iPhone").click()
    await page.get_by_text("Signed out devices").click()
    await expect_login(page, "This device was signed out from another device.")
    await page.wait_for_load_state("networkidle")
    assert len(visited) == 1
    assert await page.evaluate("history.length") == length


def note(frame: Frame, visited: list[str]) -> None:
    visited.append(frame.url)


async def send_together(page: Page, count: int) -> None:
    """Keep what the page asks about sessions until it has asked so many times."""
    asked = asyncio.Barrier(count)
    asking = 0

    async def wait(route: Route) -> None:
        nonlocal asking
        asking += 1
        if asking <= count:
            await asked.wait()
        await route.continue_()

    await page.route("**/v1/sessions**", wait)
    await page.route("**/v1/sessions/**", wait)
