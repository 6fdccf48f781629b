"""Everything by keyboard; the focus is never lost."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from tests.support import PASSWORD, SAFARI_ON_IPHONE, Service
from tests.support.browser.pages import (
    EDGE_ON_WINDOWS,
    FIREFOX_ON_LINUX,
    Visitors,
    button,
    create_admin,
    create_user,
    expect_devices,
    expect_login,
    menu_item,
    password_field,
    toast,
)

_MAX_TABS = 40


async def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until an element has the focus."""
    await target.wait_for()
    for _ in range(_MAX_TABS):
        await page.keyboard.press("Tab")
        if await target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"Tab does not reach {target}")


async def press(page: Page, name: str) -> None:
    """Press Tab until a button has the focus, then Enter."""
    await tab_to(page, button(page, name))
    await page.keyboard.press("Enter")


async def test_signing_in_and_skipping_to_the_devices(service: Service, visitors: Visitors) -> None:
    email = await create_user(service)
    page = await visitors.open(service, "/devices")
    await tab_to(page, page.get_by_label("Email address"))
    await page.keyboard.type(email)
    await page.keyboard.press("Tab")
    await expect(password_field(page)).to_be_focused()
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect_devices(page, "Chrome on Windows")

    await tab_to(page, page.get_by_role("link", name="Skip to content"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(button(page, "Rename Chrome on Windows")).to_be_focused()


async def test_a_device_is_renamed(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await create_user(service))
    name = page.get_by_label("Device name")
    await press(page, "Rename Chrome on Windows")
    await expect(name).to_be_focused()
    await page.keyboard.type("Discarded")
    await page.keyboard.press("Escape")
    await expect(button(page, "Rename Chrome on Windows")).to_be_focused()

    await page.keyboard.press("Enter")
    await expect(name).to_be_focused()
    await page.keyboard.type("Office")
    await page.keyboard.press("Enter")
    await expect(button(page, "Rename Office")).to_be_focused()
    await expect(toast(page, "Renamed to Office")).to_be_visible()


async def test_signing_out_a_device_focuses_the_next_row_or_the_heading(service: Service, visitors: Visitors) -> None:
    email = await create_user(service)
    await service.login(email, user_agent=SAFARI_ON_IPHONE)
    await service.login(email, user_agent=FIREFOX_ON_LINUX)
    page = await visitors.signed_in(service, email)
    await expect_devices(page, "Chrome on Windows", "Firefox on Linux", "Safari on iPhone")

    await press(page, "Sign out Firefox on Linux")
    await expect_devices(page, "Chrome on Windows", "Safari on iPhone")
    await expect(button(page, "Sign out Safari on iPhone")).to_be_focused()
    await expect(toast(page, "Signed out Firefox on Linux")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(toast(page, "Signed out Safari on iPhone")).to_be_visible()
    await expect(page.get_by_role("heading", name="Devices", exact=True)).to_be_focused()


async def test_signing_out_all_others_asks_for_confirmation_and_escape_cancels(
    service: Service, visitors: Visitors
) -> None:
    email = await create_user(service)
    for user_agent in (SAFARI_ON_IPHONE, FIREFOX_ON_LINUX, EDGE_ON_WINDOWS):
        await service.login(email, user_agent=user_agent)
    page = await visitors.signed_in(service, email)
    dialog = page.get_by_role("dialog", name="Sign out 3 other devices?")
    await press(page, "Sign out 3 other devices")
    await expect(dialog).to_contain_text("Chrome on Windows, stays signed in")
    await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(button(page, "Sign out 3 other devices")).to_be_focused()
    assert await page.get_by_role("listitem").count() == 4

    await page.keyboard.press("Enter")
    await tab_to(page, dialog.get_by_role("button", name="Sign out 3 other devices"))
    await page.keyboard.press("Enter")
    await expect(toast(page, "Signed out 3 other devices")).to_be_visible()
    await expect_devices(page, "Chrome on Windows")
    await expect(page.get_by_role("heading", name="Devices", exact=True)).to_be_focused()


async def test_the_account_menu_signs_out(service: Service, visitors: Visitors) -> None:
    email = await create_user(service)
    page = await visitors.signed_in(service, email)
    account = button(page, f"Account: {email}")
    await press(page, f"Account: {email}")
    await expect(menu_item(page, "Notifications")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("menu")).to_have_count(0)
    await expect(account).to_be_focused()

    await page.keyboard.press("ArrowDown")
    await expect(menu_item(page, "Notifications")).to_be_focused()
    await page.keyboard.press("End")
    await expect(menu_item(page, "Sign out")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect_login(page)
    await expect(toast(page, "You are signed out")).to_be_visible()
    await page.goto("/devices")
    await expect_login(page)


async def test_arrow_keys_move_through_the_mail_menu(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await create_admin(service))
    await press(page, "Mail")
    await expect(menu_item(page, "Templates")).to_be_focused()
    for key, name in (
        ("ArrowDown", "Emails"),
        ("End", "Mailbox"),
        ("ArrowDown", "Templates"),
        ("ArrowUp", "Mailbox"),
        ("Home", "Templates"),
        ("s", "Suppressions"),
    ):
        await page.keyboard.press(key)
        await expect(menu_item(page, name)).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Suppressions")).to_be_visible()
    await expect(page.get_by_role("menu")).to_have_count(0)
    await expect(button(page, "Mail")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(menu_item(page, "Suppressions")).to_have_attribute("aria-current", "page")
