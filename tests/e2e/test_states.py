"""What the pages show meanwhile, without a network, and of the past."""

from __future__ import annotations

import asyncio

from playwright.async_api import Page, Route, expect

from tests.e2e.pages import FIREFOX_ON_LINUX, Visitors, button, expect_rows, sign_in, someone, toast
from tests.support import SAFARI_ON_IPHONE, Service

_OFFLINE = "You are offline. This is what was last known."


async def test_the_list_has_its_shape_while_it_is_on_its_way(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await someone(service), None)
    go = asyncio.Event()

    async def wait(route: Route) -> None:
        await go.wait()
        await route.continue_()

    await page.route("**/v1/sessions", wait)
    await page.goto("/devices")
    await expect(page.get_by_role("status", name="Loading your devices")).to_be_visible()
    go.set()
    await expect_rows(page, "Chrome on Windows")
    await expect(page.get_by_role("status", name="Loading your devices")).to_have_count(0)


async def test_the_only_device_is_said_to_be_the_only_one(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await someone(service))
    await expect(page.get_by_text("You are signed in on this device only.")).to_be_visible()
    await expect(page.get_by_role("button", name="other device")).to_have_count(0)


async def test_without_a_network_the_page_says_so_and_takes_nothing_as_done(
    service: Service, visitors: Visitors
) -> None:
    email = await someone(service)
    await service.login(email, user_agent=SAFARI_ON_IPHONE)
    page = await visitors.signed_in(service, email)
    await expect_rows(page, "Chrome on Windows", "Safari on iPhone")
    await page.context.set_offline(True)
    await expect(page.get_by_text(_OFFLINE)).to_be_visible()
    await button(page, "Sign out Safari on iPhone").click()
    await expect(toast(page, "Could not sign out Safari on iPhone")).to_be_visible()
    await expect_rows(page, "Chrome on Windows", "Safari on iPhone")

    await page.context.set_offline(False)
    await expect(page.get_by_text(_OFFLINE)).to_have_count(0)
    await button(page, "Sign out Safari on iPhone").click()
    await expect_rows(page, "Chrome on Windows")


async def test_a_sign_in_without_a_network_does_not_wait_for_one(service: Service, visitors: Visitors) -> None:
    page = await visitors.open(service, "/login")
    await expect(button(page, "Sign in")).to_be_visible()
    await page.context.set_offline(True)
    await sign_in(page, "somebody@example.com")
    await expect(page.get_by_role("alert")).to_have_text("The service cannot be reached. Check your connection.")


async def test_a_device_has_the_name_one_gives_it_until_it_is_taken_away(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await someone(service))
    for given, shown in (("  Desk ", "Desk"), (" ", "Chrome on Windows")):
        await page.get_by_role("button", name="Rename").click()
        await page.get_by_label("Name of this device").fill(given)
        await button(page, "Save").click()
        await expect(toast(page, f"Renamed to {shown}")).to_be_visible()
        await expect_rows(page, shown)
    await page.reload()
    await expect_rows(page, "Chrome on Windows")


async def test_the_devices_of_the_past_are_listed_with_why_they_ended(service: Service, visitors: Visitors) -> None:
    email = await someone(service)
    phone = await service.login(email, user_agent=SAFARI_ON_IPHONE)
    tablet = await service.login(email, user_agent=FIREFOX_ON_LINUX)
    page = await visitors.signed_in(service, email)
    summary = page.get_by_text("Signed out devices")
    await summary.click()
    await expect(page.get_by_text("None yet.")).to_be_visible()

    await tablet.delete(f"/v1/sessions/{tablet.id}")
    await button(page, "Sign out Safari on iPhone").click()
    ended = page.get_by_role("list", name="Signed out devices").get_by_role("listitem")
    await expect(ended).to_contain_text(
        ["Safari on iPhoneSigned out from another device", "Firefox on LinuxSigned out there"]
    )
    assert (await phone.get("/v1/me")).status_code == 401


async def test_the_theme_is_the_system_s_until_one_is_chosen(service: Service, visitors: Visitors) -> None:
    page = await visitors.open(service, "/login", color_scheme="dark")
    assert await is_dark(page)
    await page.emulate_media(color_scheme="light")
    assert not await is_dark(page)

    await page.get_by_title("Dark").click()
    assert await is_dark(page)
    await page.reload()
    await expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    assert await is_dark(page)

    await page.get_by_title("As the system").click()
    assert not await is_dark(page)
    await page.reload()
    await expect(page.get_by_role("radio", name="As the system")).to_be_checked()
    assert not await is_dark(page)


async def is_dark(page: Page) -> bool:
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    colour = str(await page.evaluate("getComputedStyle(document.body).backgroundColor"))
    return colour == "rgb(15, 20, 19)"
