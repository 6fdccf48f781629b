"""Access tokens that run out while somebody is at it: nobody notices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import BrowserContext, Page, Request, Route, expect

from tests.e2e.outage import Cable
from tests.e2e.pages import Visitors, button, expect_rows, someone, toast
from tests.support import Service, running_service

_ENDED = "Signed out devices"
_REFRESHING = "navigator.locks.query().then(({ held, pending }) => held.length + pending.length)"


@pytest_asyncio.fixture(loop_scope="session")
async def service(cable: Cable) -> AsyncIterator[Service]:
    """The service, with access tokens that hold for a moment."""
    async with running_service(cable.url, access_token_ttl="2s") as service:
        yield service


async def until_expired(page: Page) -> None:
    """Wait until the service takes the browser's access token for expired."""
    async with asyncio.timeout(10):
        while (await page.request.get("/v1/me")).status != 401:
            await asyncio.sleep(0.05)


def count_refreshes(context: BrowserContext) -> list[str]:
    """Return a list that grows with each refresh."""
    refreshes: list[str] = []

    def note(request: Request) -> None:
        if request.url.endswith("/v1/auth/refresh"):
            refreshes.append(request.url)

    context.on("request", note)
    return refreshes


async def hold_refresh_for_two(tab: Page) -> None:
    """Hold the first refresh until another tab waits for what comes of it."""
    both = asyncio.Event()

    async def wait(route: Route) -> None:
        while not both.is_set():
            if await tab.evaluate(_REFRESHING) == 2:
                both.set()
        await route.continue_()

    await tab.context.route("**/v1/auth/refresh", wait)


async def test_a_page_goes_on_with_one_refresh(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await someone(service))
    await expect_rows(page, "Chrome on Windows")
    await until_expired(page)
    refreshes = count_refreshes(page.context)

    await button(page, "Rename Chrome on Windows").click()
    await page.get_by_label("Name of this device").fill("Desk")
    await button(page, "Save").click()
    await expect(toast(page, "Renamed to Desk")).to_be_visible()
    assert len(refreshes) == 1

    await until_expired(page)
    await page.reload()
    await expect_rows(page, "Desk")
    assert len(refreshes) == 2


async def test_two_tabs_go_on_together_with_one_refresh(service: Service, visitors: Visitors) -> None:
    first = await visitors.signed_in(service, await someone(service))
    second = await first.context.new_page()
    await second.goto("/devices")
    tabs = (first, second)
    for tab in tabs:
        await expect_rows(tab, "Chrome on Windows")
    await until_expired(first)
    refreshes = count_refreshes(first.context)
    await hold_refresh_for_two(first)

    await asyncio.gather(*(tab.get_by_text(_ENDED).click() for tab in tabs))
    for tab in tabs:
        await expect(tab.get_by_text("None yet.")).to_be_visible()
    assert len(refreshes) == 1


async def test_a_refresh_that_fails_for_one_tab_signs_no_tab_out(
    service: Service, cable: Cable, visitors: Visitors
) -> None:
    first = await visitors.signed_in(service, await someone(service))
    second = await first.context.new_page()
    await second.goto("/devices")
    tabs = (first, second)
    for tab in tabs:
        await expect_rows(tab, "Chrome on Windows")
    await until_expired(first)
    await hold_refresh_for_two(first)
    await cable.cut()

    await asyncio.gather(*(tab.get_by_text(_ENDED).click() for tab in tabs))
    for tab in tabs:
        await expect(tab.get_by_role("alert")).to_contain_text("cannot reach its database")
    await cable.mend()
    for tab in tabs:
        await tab.reload()
        await expect_rows(tab, "Chrome on Windows")
