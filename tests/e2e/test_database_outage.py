"""The database becomes unreachable: changes that were shown early are undone, with an error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Page, Route, expect

from tests.support import SAFARI_ON_IPHONE, Service, running_service
from tests.support.browser.database_proxy import DatabaseProxy
from tests.support.browser.pages import FIREFOX_ON_LINUX, Visitors, button, create_user, expect_devices, toast


@pytest_asyncio.fixture(loop_scope="session")
async def service(database_proxy: DatabaseProxy) -> AsyncIterator[Service]:
    """The service, on a database that a test can interrupt."""
    async with running_service(database_proxy.url) as service:
        yield service


async def hold(page: Page, method: str) -> asyncio.Event:
    """Hold requests with a method back until the event is set."""
    released = asyncio.Event()

    async def wait(route: Route) -> None:
        if route.request.method == method:
            await released.wait()
        await route.continue_()

    await page.route("**/v1/sessions/**", wait)
    return released


async def test_a_row_is_removed_at_once_and_put_back_at_its_position(
    service: Service, database_proxy: DatabaseProxy, visitors: Visitors
) -> None:
    email = await create_user(service)
    await service.login(email, user_agent=SAFARI_ON_IPHONE)
    await service.login(email, user_agent=FIREFOX_ON_LINUX)
    page = await visitors.signed_in(service, email)
    await expect_devices(page, "Chrome on Windows", "Firefox on Linux", "Safari on iPhone")
    released = await hold(page, "DELETE")
    await database_proxy.stop()

    async with page.expect_response(lambda response: response.request.method == "DELETE") as response:
        await button(page, "Sign out Firefox on Linux").click()
        await expect_devices(page, "Chrome on Windows", "Safari on iPhone")
        released.set()
    assert (await response.value).status == 503
    await expect(toast(page, "Could not sign out Firefox on Linux")).to_be_visible()
    await expect_devices(page, "Chrome on Windows", "Firefox on Linux", "Safari on iPhone")

    await database_proxy.start()
    await button(page, "Sign out Firefox on Linux").click()
    await expect(toast(page, "Signed out Firefox on Linux")).to_be_visible()
    await page.reload()
    await expect_devices(page, "Chrome on Windows", "Safari on iPhone")


async def test_a_new_name_is_undone(service: Service, database_proxy: DatabaseProxy, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await create_user(service))
    await expect_devices(page, "Chrome on Windows")
    released = await hold(page, "PATCH")
    await database_proxy.stop()

    await button(page, "Rename Chrome on Windows").click()
    await page.get_by_label("Device name").fill("Office")
    await button(page, "Save name").click()
    await expect_devices(page, "Office")
    released.set()
    await expect(toast(page, "Could not rename Chrome on Windows")).to_be_visible()
    await expect_devices(page, "Chrome on Windows")


async def test_loading_a_list_can_be_tried_again(
    service: Service, database_proxy: DatabaseProxy, visitors: Visitors
) -> None:
    page = await visitors.signed_in(service, await create_user(service), None)

    async def interrupt(route: Route) -> None:
        await database_proxy.stop()
        await route.continue_()

    await page.route("**/v1/sessions", interrupt)
    await page.goto("/devices")
    await expect(page.get_by_role("alert")).to_contain_text("Your devices could not be loaded.")
    await page.unroute("**/v1/sessions")
    await database_proxy.start()
    await button(page, "Try again").click()
    await expect_devices(page, "Chrome on Windows")
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_loading_a_page_can_be_tried_again(
    service: Service, database_proxy: DatabaseProxy, visitors: Visitors
) -> None:
    page = await visitors.signed_in(service, await create_user(service), None)
    await database_proxy.stop()
    await page.goto("/devices")
    await expect(page.get_by_role("heading", name="This page could not be loaded")).to_be_visible()
    await database_proxy.start()
    await button(page, "Try again").click()
    await expect_devices(page, "Chrome on Windows")
    assert "temporarily unavailable" in visitors.errors.pop()
