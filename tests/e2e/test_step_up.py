"""A sign-in of long ago: ending other devices asks for the password once more."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from tests.e2e.pages import Visitors, button, expect_rows, someone, toast
from tests.support import PASSWORD, SAFARI_ON_IPHONE, Service


async def open_long_ago(service: Service, visitors: Visitors) -> Page:
    """Show the devices of somebody who signed in twenty minutes ago, on two of them."""
    email = await someone(service)
    await service.login(email, user_agent=SAFARI_ON_IPHONE)
    page = await visitors.signed_in(service, email)
    await service.sql.execute("update gatepost.sessions set authenticated_at = now() - interval '20 minutes'")
    await expect_rows(page, "Chrome on Windows", "Safari on iPhone")
    return page


def question(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Confirm that it is you")


async def test_the_right_password_goes_on_and_a_wrong_one_says_so(service: Service, visitors: Visitors) -> None:
    page = await open_long_ago(service, visitors)
    await button(page, "Sign out Safari on iPhone").click()
    password = question(page).get_by_label("Password", exact=True)
    await expect(password).to_be_focused()
    await password.fill("not the password")
    await page.keyboard.press("Enter")
    await expect(password).to_have_accessible_description("That is not your password.")
    await expect(password).to_be_focused()

    await password.fill(PASSWORD)
    await question(page).get_by_role("button", name="Confirm").click()
    await expect(toast(page, "Signed out Safari on iPhone")).to_be_visible()
    await expect(question(page)).to_be_hidden()
    await expect_rows(page, "Chrome on Windows")
    await page.reload()
    await expect_rows(page, "Chrome on Windows")


async def test_turning_away_brings_the_row_back_without_a_word(service: Service, visitors: Visitors) -> None:
    page = await open_long_ago(service, visitors)
    for turn_away in ("Escape", "Cancel"):
        await button(page, "Sign out Safari on iPhone").click()
        await expect(question(page)).to_be_visible()
        if turn_away == "Escape":
            await page.keyboard.press("Escape")
        else:
            await question(page).get_by_role("button", name="Cancel").click()
        await expect(question(page)).to_be_hidden()
        await expect_rows(page, "Chrome on Windows", "Safari on iPhone")
    await expect(page.get_by_role("region", name="Notifications").get_by_role("heading")).to_have_count(0)


async def test_signing_out_all_others_asks_too(service: Service, visitors: Visitors) -> None:
    page = await open_long_ago(service, visitors)
    await button(page, "Sign out 1 other device").click()
    await page.get_by_role("dialog").get_by_role("button", name="Sign out 1 other device").click()
    await question(page).get_by_label("Password", exact=True).fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(toast(page, "Signed out 1 other device")).to_be_visible()
    await expect_rows(page, "Chrome on Windows")


async def test_this_device_itself_may_always_be_signed_out(service: Service, visitors: Visitors) -> None:
    page = await open_long_ago(service, visitors)
    await button(page, "Sign out Chrome on Windows (this device)").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
