"""Pages while they load, without a network, with past devices, and in each theme."""

from __future__ import annotations

import asyncio

from playwright.async_api import Page, Route, expect

from tests.support import SAFARI_ON_IPHONE, Service
from tests.support.browser.pages import FIREFOX_ON_LINUX, Visitors, button, create_user, expect_devices, sign_in, toast

_OFFLINE = "You are offline. This page may be out of date."


async def test_a_skeleton_is_shown_while_the_list_loads(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await create_user(service), None)
    released = asyncio.Event()

    async def wait(route: Route) -> None:
        await released.wait()
        await route.continue_()

    await page.route("**/v1/sessions", wait)
    await page.goto("/devices")
    await expect(page.get_by_role("status", name="Loading your devices")).to_be_visible()
    released.set()
    await expect_devices(page, "Chrome on Windows")
    await expect(page.get_by_role("status", name="Loading your devices")).to_have_count(0)


async def test_a_single_device_is_the_only_one(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await create_user(service))
    await expect(page.get_by_text("You are signed in on this device only.")).to_be_visible()
    await expect(page.get_by_role("button", name="other device")).to_have_count(0)


async def test_without_a_network_the_page_says_so_and_changes_fail(service: Service, visitors: Visitors) -> None:
    email = await create_user(service)
    await service.login(email, user_agent=SAFARI_ON_IPHONE)
    page = await visitors.signed_in(service, email)
    await expect_devices(page, "Chrome on Windows", "Safari on iPhone")
    await page.context.set_offline(True)
    await expect(page.get_by_text(_OFFLINE)).to_be_visible()
    await button(page, "Sign out Safari on iPhone").click()
    await expect(toast(page, "Could not sign out Safari on iPhone")).to_be_visible()
    await expect_devices(page, "Chrome on Windows", "Safari on iPhone")

    await page.context.set_offline(False)
    await expect(page.get_by_text(_OFFLINE)).to_have_count(0)
    await button(page, "Sign out Safari on iPhone").click()
    await expect_devices(page, "Chrome on Windows")


async def test_signing_in_without_a_network_fails_at_once(service: Service, visitors: Visitors) -> None:
    page = await visitors.open(service, "/login")
    await expect(button(page, "Sign in")).to_be_visible()
    await page.context.set_offline(True)
    await sign_in(page, "somebody@example.com")
    await expect(page.get_by_role("alert")).to_have_text("The service cannot be reached. Check your connection.")


async def test_a_device_is_renamed_and_gets_its_default_name_back(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await create_user(service))
    for given, shown in (("  Office ", "Office"), (" ", "Chrome on Windows")):
        await page.get_by_role("button", name="Rename").click()
        await page.get_by_label("Device name").fill(given)
        await button(page, "Save name").click()
        await expect(toast(page, f"Renamed to {shown}")).to_be_visible()
        await expect_devices(page, shown)
    await page.reload()
    await expect_devices(page, "Chrome on Windows")


async def test_signed_out_devices_are_listed_with_the_reason(service: Service, visitors: Visitors) -> None:
    email = await create_user(service)
    phone = await service.login(email, user_agent=SAFARI_ON_IPHONE)
    tablet = await service.login(email, user_agent=FIREFOX_ON_LINUX)
    page = await visitors.signed_in(service, email)
    summary = page.get_by_text("Signed-out devices")
    await summary.click()
    await expect(page.get_by_text("No device has been signed out yet.")).to_be_visible()

    await tablet.delete(f"/v1/sessions/{tablet.id}")
    await button(page, "Sign out Safari on iPhone").click()
    ended = page.get_by_role("list", name="Signed-out devices").get_by_role("listitem")
    await expect(ended).to_contain_text(
        ["Safari on iPhoneSigned out from another device", "Firefox on LinuxSigned out on the device itself"]
    )
    assert (await phone.get("/v1/me")).status_code == 401


async def test_the_theme_follows_the_system_until_one_is_chosen(service: Service, visitors: Visitors) -> None:
    page = await visitors.open(service, "/login", color_scheme="dark")
    assert await is_dark(page)
    await page.emulate_media(color_scheme="light")
    assert not await is_dark(page)

    await page.get_by_title("Dark").click()
    assert await is_dark(page)
    await page.reload()
    await expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    assert await is_dark(page)

    await page.get_by_title("System").click()
    assert not await is_dark(page)
    await page.reload()
    await expect(page.get_by_role("radio", name="System")).to_be_checked()
    assert not await is_dark(page)


async def is_dark(page: Page) -> bool:
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    color = str(await page.evaluate("getComputedStyle(document.body).backgroundColor"))
    return color == "rgb(15, 20, 19)"
