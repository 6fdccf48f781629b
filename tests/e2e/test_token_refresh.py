"""Access tokens that expire while a page is open are refreshed without the user noticing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import BrowserContext, Page, Request, Route, expect

from tests.support import Service, running_service
from tests.support.browser.database_proxy import DatabaseProxy
from tests.support.browser.pages import Visitors, button, create_user, expect_devices, toast

_SUMMARY = "Signed-out devices"
_LOCK_REQUESTS = "navigator.locks.query().then(({ held, pending }) => held.length + pending.length)"


@pytest_asyncio.fixture(loop_scope="session")
async def service(database_proxy: DatabaseProxy) -> AsyncIterator[Service]:
    """The service, with access tokens that last two seconds."""
    async with running_service(database_proxy.url, access_token_ttl="2s") as service:
        yield service


async def until_expired(page: Page) -> None:
    """Wait until the browser's access token has expired."""
    async with asyncio.timeout(10):
        while (await page.request.get("/v1/me")).status != 401:
            await asyncio.sleep(0.05)


def count_refreshes(context: BrowserContext) -> list[str]:
    """Return a list to which each refresh is added."""
    refreshes: list[str] = []

    def collect(request: Request) -> None:
        if request.url.endswith("/v1/auth/refresh"):
            refreshes.append(request.url)

    context.on("request", collect)
    return refreshes


async def hold_refresh_for_second_tab(tab: Page) -> None:
    """Hold the first refresh until another tab waits for its result."""
    waiting = asyncio.Event()

    async def wait(route: Route) -> None:
        while not waiting.is_set():
            if await tab.evaluate(_LOCK_REQUESTS) == 2:
                waiting.set()
        await route.continue_()

    await tab.context.route("**/v1/auth/refresh", wait)


async def test_a_page_refreshes_once(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await create_user(service))
    await expect_devices(page, "Chrome on Windows")
    await until_expired(page)
    refreshes = count_refreshes(page.context)

    await button(page, "Rename Chrome on Windows").click()
    await page.get_by_label("Device name").fill("Office")
    await button(page, "Save name").click()
    await expect(toast(page, "Renamed to Office")).to_be_visible()
    assert len(refreshes) == 1

    await until_expired(page)
    await page.reload()
    await expect_devices(page, "Office")
    assert len(refreshes) == 2


async def test_two_tabs_refresh_once(service: Service, visitors: Visitors) -> None:
    first = await visitors.signed_in(service, await create_user(service))
    second = await first.context.new_page()
    await second.goto("/devices")
    tabs = (first, second)
    for tab in tabs:
        await expect_devices(tab, "Chrome on Windows")
    await until_expired(first)
    refreshes = count_refreshes(first.context)
    await hold_refresh_for_second_tab(first)

    await asyncio.gather(*(tab.get_by_text(_SUMMARY).click() for tab in tabs))
    for tab in tabs:
        await expect(tab.get_by_text("No device has been signed out yet.")).to_be_visible()
    assert len(refreshes) == 1


async def test_a_failed_refresh_signs_no_tab_out(
    service: Service, database_proxy: DatabaseProxy, visitors: Visitors
) -> None:
    first = await visitors.signed_in(service, await create_user(service))
    second = await first.context.new_page()
    await second.goto("/devices")
    tabs = (first, second)
    for tab in tabs:
        await expect_devices(tab, "Chrome on Windows")
    await until_expired(first)
    await hold_refresh_for_second_tab(first)
    await database_proxy.stop()

    await asyncio.gather(*(tab.get_by_text(_SUMMARY).click() for tab in tabs))
    for tab in tabs:
        await expect(tab.get_by_role("alert")).to_contain_text("temporarily unavailable")
    await database_proxy.start()
    for tab in tabs:
        await tab.reload()
        await expect_devices(tab, "Chrome on Windows")
