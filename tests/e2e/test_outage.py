"""The database gone while somebody is at it: what was shown as done comes back, and says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Page, Route, expect

from tests.e2e.outage import Cable
from tests.e2e.pages import FIREFOX_ON_LINUX, Visitors, button, expect_rows, someone, toast
from tests.support import SAFARI_ON_IPHONE, Service, running_service


@pytest_asyncio.fixture(loop_scope="session")
async def service(cable: Cable) -> AsyncIterator[Service]:
    """The service, on a database that can go away."""
    async with running_service(cable.url) as service:
        yield service


async def hold(page: Page, method: str) -> asyncio.Event:
    """Keep requests of a method from the service until the event is set."""
    go = asyncio.Event()

    async def wait(route: Route) -> None:
        if route.request.method == method:
            await go.wait()
        await route.continue_()

    await page.route("**/v1/sessions/**", wait)
    return go


async def test_a_row_goes_at_once_and_comes_back_into_its_place(
    service: Service, cable: Cable, visitors: Visitors
) -> None:
    email = await someone(service)
    await service.login(email, user_agent=SAFARI_ON_IPHONE)
    await service.login(email, user_agent=FIREFOX_ON_LINUX)
    page = await visitors.signed_in(service, email)
    await expect_rows(page, "Chrome on Windows", "Firefox on Linux", "Safari on iPhone")
    go = await hold(page, "DELETE")
    await cable.cut()

    async with page.expect_response(lambda answer: answer.request.method == "DELETE") as refusal:
        await button(page, "Sign out Firefox on Linux").click()
        await expect_rows(page, "Chrome on Windows", "Safari on iPhone")
        go.set()
    assert (await refusal.value).status == 503
    await expect(toast(page, "Could not sign out Firefox on Linux")).to_be_visible()
    await expect_rows(page, "Chrome on Windows", "Firefox on Linux", "Safari on iPhone")

    await cable.mend()
    await button(page, "Sign out Firefox on Linux").click()
    await expect(toast(page, "Signed out Firefox on Linux")).to_be_visible()
    await page.reload()
    await expect_rows(page, "Chrome on Windows", "Safari on iPhone")


async def test_a_name_goes_back_to_what_it_was(service: Service, cable: Cable, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await someone(service))
    await expect_rows(page, "Chrome on Windows")
    go = await hold(page, "PATCH")
    await cable.cut()

    await button(page, "Rename Chrome on Windows").click()
    await page.get_by_label("Name of this device").fill("Desk")
    await button(page, "Save").click()
    await expect_rows(page, "Desk")
    go.set()
    await expect(toast(page, "Could not rename Chrome on Windows")).to_be_visible()
    await expect_rows(page, "Chrome on Windows")


async def test_a_list_that_cannot_be_loaded_can_be_tried_again(
    service: Service, cable: Cable, visitors: Visitors
) -> None:
    page = await visitors.signed_in(service, await someone(service), None)

    async def lose(route: Route) -> None:
        await cable.cut()
        await route.continue_()

    await page.route("**/v1/sessions", lose)
    await page.goto("/devices")
    await expect(page.get_by_role("alert")).to_contain_text("Your devices could not be loaded.")
    await page.unroute("**/v1/sessions")
    await cable.mend()
    await button(page, "Try again").click()
    await expect_rows(page, "Chrome on Windows")
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_a_page_that_cannot_be_shown_can_be_tried_again(
    service: Service, cable: Cable, visitors: Visitors
) -> None:
    page = await visitors.signed_in(service, await someone(service), None)
    await cable.cut()
    await page.goto("/devices")
    await expect(page.get_by_role("heading", name="This page could not be shown")).to_be_visible()
    await cable.mend()
    await button(page, "Try again").click()
    await expect_rows(page, "Chrome on Windows")
    assert "cannot reach its database" in visitors.complaints.pop()
