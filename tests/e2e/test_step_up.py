"""Actions that need a recent password: after a while, signing out other devices asks for it again."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from tests.support import PASSWORD, SAFARI_ON_IPHONE, Service
from tests.support.browser.pages import Visitors, button, create_user, expect_devices, require_password, toast, toasts


async def open_devices(service: Service, visitors: Visitors) -> Page:
    """Open the devices of a user who is signed in on two of them, and whose password is required again."""
    email = await create_user(service)
    await service.login(email, user_agent=SAFARI_ON_IPHONE)
    page = await visitors.signed_in(service, email)
    await require_password(service)
    await expect_devices(page, "Chrome on Windows", "Safari on iPhone")
    return page


def password_dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Confirm your password")


async def test_the_right_password_continues_and_a_wrong_one_is_reported(service: Service, visitors: Visitors) -> None:
    page = await open_devices(service, visitors)
    await button(page, "Sign out Safari on iPhone").click()
    password = password_dialog(page).get_by_label("Password", exact=True)
    await expect(password).to_be_focused()
    await password.fill("not the password")
    await page.keyboard.press("Enter")
    await expect(password).to_have_accessible_description("Incorrect password. Try again.")
    await expect(password).to_be_focused()

    await password.fill(PASSWORD)
    await password_dialog(page).get_by_role("button", name="Confirm password").click()
    await expect(toast(page, "Signed out Safari on iPhone")).to_be_visible()
    await expect(password_dialog(page)).to_be_hidden()
    await expect_devices(page, "Chrome on Windows")
    await page.reload()
    await expect_devices(page, "Chrome on Windows")


async def test_canceling_puts_the_row_back_without_a_toast(service: Service, visitors: Visitors) -> None:
    page = await open_devices(service, visitors)
    for way in ("Escape", "Cancel"):
        await button(page, "Sign out Safari on iPhone").click()
        await expect(password_dialog(page)).to_be_visible()
        if way == "Escape":
            await page.keyboard.press("Escape")
        else:
            await password_dialog(page).get_by_role("button", name="Cancel").click()
        await expect(password_dialog(page)).to_be_hidden()
        await expect_devices(page, "Chrome on Windows", "Safari on iPhone")
    await expect(toasts(page).get_by_role("heading")).to_have_count(0)


async def test_signing_out_all_other_devices_asks_too(service: Service, visitors: Visitors) -> None:
    page = await open_devices(service, visitors)
    await button(page, "Sign out 1 other device").click()
    await page.get_by_role("dialog").get_by_role("button", name="Sign out 1 other device").click()
    await password_dialog(page).get_by_label("Password", exact=True).fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(toast(page, "Signed out 1 other device")).to_be_visible()
    await expect_devices(page, "Chrome on Windows")


async def test_signing_out_this_device_never_asks(service: Service, visitors: Visitors) -> None:
    page = await open_devices(service, visitors)
    await button(page, "Sign out Chrome on Windows (this device)").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
