"""The whole way without a mouse; the focus is never lost."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from tests.e2e.pages import (
    EDGE_ON_WINDOWS,
    FIREFOX_ON_LINUX,
    Visitors,
    button,
    expect_login,
    expect_rows,
    menu_item,
    password_field,
    someone,
    toast,
)
from tests.e2e.test_mailbox import admin
from tests.support import PASSWORD, SAFARI_ON_IPHONE, Service

_MOST_TABS = 40


async def tab_to(page: Page, target: Locator, *, key: str = "Tab") -> None:
    """Press Tab until something has the focus."""
    await target.wait_for()
    for _ in range(_MOST_TABS):
        await page.keyboard.press(key)
        if await target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"Tab does not lead to {target}")


async def press(page: Page, name: str) -> None:
    await tab_to(page, button(page, name))
    await page.keyboard.press("Enter")


async def test_signing_in_leads_past_the_navigation_to_the_devices(service: Service, visitors: Visitors) -> None:
    email = await someone(service)
    page = await visitors.open(service, "/devices")
    await tab_to(page, page.get_by_label("E-mail address"))
    await page.keyboard.type(email)
    await page.keyboard.press("Tab")
    await expect(password_field(page)).to_be_focused()
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect_rows(page, "Chrome on Windows")

    await tab_to(page, page.get_by_role("link", name="Skip to content"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(button(page, "Rename Chrome on Windows")).to_be_focused()


async def test_a_device_is_renamed_in_place(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await someone(service))
    name = page.get_by_label("Name of this device")
    await press(page, "Rename Chrome on Windows")
    await expect(name).to_be_focused()
    await page.keyboard.type("Lost change")
    await page.keyboard.press("Escape")
    await expect(button(page, "Rename Chrome on Windows")).to_be_focused()

    await page.keyboard.press("Enter")
    await expect(name).to_be_focused()
    await page.keyboard.type("Desk")
    await page.keyboard.press("Enter")
    await expect(button(page, "Rename Desk")).to_be_focused()
    await expect(toast(page, "Renamed to Desk")).to_be_visible()


async def test_after_a_device_is_signed_out_the_focus_is_at_the_next_row_else_at_the_heading(
    service: Service, visitors: Visitors
) -> None:
    email = await someone(service)
    await service.login(email, user_agent=SAFARI_ON_IPHONE)
    await service.login(email, user_agent=FIREFOX_ON_LINUX)
    page = await visitors.signed_in(service, email)
    await expect_rows(page, "Chrome on Windows", "Firefox on Linux", "Safari on iPhone")

    await press(page, "Sign out Firefox on Linux")
    await expect_rows(page, "Chrome on Windows", "Safari on iPhone")
    await expect(button(page, "Sign out Safari on iPhone")).to_be_focused()
    await expect(toast(page, "Signed out Firefox on Linux")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(toast(page, "Signed out Safari on iPhone")).to_be_visible()
    await expect(page.get_by_role("heading", name="Devices", exact=True)).to_be_focused()


async def test_all_others_are_signed_out_after_a_question_that_escape_declines(
    service: Service, visitors: Visitors
) -> None:
    email = await someone(service)
    for user_agent in (SAFARI_ON_IPHONE, FIREFOX_ON_LINUX, EDGE_ON_WINDOWS):
        await service.login(email, user_agent=user_agent)
    page = await visitors.signed_in(service, email)
    question = page.get_by_role("dialog", name="Sign out 3 other devices?")
    await press(page, "Sign out 3 other devices")
    await expect(question).to_contain_text("Chrome on Windows, stays signed in")
    await expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(question).to_be_hidden()
    await expect(button(page, "Sign out 3 other devices")).to_be_focused()
    assert await page.get_by_role("listitem").count() == 4

    await page.keyboard.press("Enter")
    await tab_to(page, question.get_by_role("button", name="Sign out 3 other devices"))
    await page.keyboard.press("Enter")
    await expect(toast(page, "Signed out 3 other devices")).to_be_visible()
    await expect_rows(page, "Chrome on Windows")
    await expect(page.get_by_role("heading", name="Devices", exact=True)).to_be_focused()


async def test_the_account_menu_has_the_way_out(service: Service, visitors: Visitors) -> None:
    email = await someone(service)
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


async def test_the_mail_menu_is_moved_through_with_arrow_keys(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await admin(service))
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
