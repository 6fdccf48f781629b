"""axe on every page, dialog and state."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Page, expect

from tests.support import SAFARI_ON_IPHONE, Service, running_service
from tests.support.browser.account_links import link_in_email, set_new_password, sign_in_as_attacker
from tests.support.browser.axe import SCREENS, check_accessibility
from tests.support.browser.database_proxy import DatabaseProxy
from tests.support.browser.emails import send_emails, suppress
from tests.support.browser.pages import (
    FIREFOX_ON_LINUX,
    Visitors,
    button,
    create_admin,
    create_user,
    expect_devices,
    menu_item,
    password_field,
    require_password,
    sign_in,
    sign_in_by_api,
    tab,
    toast,
)
from tests.support.browser.template_list import compose

_LONG = "Donaudampfschifffahrtsgesellschaft" * 2


@pytest_asyncio.fixture(loop_scope="session")
async def service(database_proxy: DatabaseProxy) -> AsyncIterator[Service]:
    """The service, on a database that a test can interrupt."""
    async with running_service(database_proxy.url) as service:
        yield service


@pytest_asyncio.fixture(loop_scope="session")
async def page(service: Service, visitors: Visitors, axe: str) -> Page:
    """A page with axe and without animations, so that no color is halfway."""
    page = await visitors.open(service, None, reduced_motion="reduce")
    await page.context.add_init_script(axe)
    return page


async def open_devices(service: Service, page: Page) -> str:
    """Open a list of three devices, one of which has a long name. Return the email address."""
    email = await create_user(service)
    await service.login(email, user_agent=SAFARI_ON_IPHONE)
    await service.login(email, user_agent=FIREFOX_ON_LINUX, device_name=_LONG)
    await sign_in_by_api(service, page, email)
    await page.goto("/devices")
    await expect_devices(page, "Chrome on Windows", _LONG, "Safari on iPhone")
    return email


async def test_the_login_and_registration_forms(page: Page) -> None:
    await page.goto("/login?reason=session_revoked&end_reason=signed_out_elsewhere&redirect=%2Fdevices")
    await sign_in(page, "nobody@example.com")
    await expect(page.get_by_role("alert")).to_have_count(2)
    await check_accessibility(page)

    await page.goto("/register")
    await page.get_by_label("Email address").fill("nobody@example")
    await password_field(page).fill("long enough, surely")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Email address")).to_have_attribute("aria-invalid", "true")
    for password, strength in (("password1", "Very weak"), ("horse4711", "Fair"), ("long enough, surely", "Strong")):
        await password_field(page).fill(password)
        await expect(page.get_by_text(f"Password strength: {strength}")).to_be_visible()
        await check_accessibility(page)


async def test_the_devices_page(service: Service, page: Page) -> None:
    email = await open_devices(service, page)
    await check_accessibility(page)

    await page.get_by_text("Signed-out devices").click()
    await button(page, "Rename Chrome on Windows").click()
    await expect(page.get_by_label("Device name")).to_be_focused()
    await button(page, f"Sign out {_LONG}").click()
    await expect(page.get_by_text("Signed out from another device")).to_be_visible()
    await expect(toast(page, f"Signed out {_LONG}")).to_be_visible()
    await check_accessibility(page)

    await button(page, f"Account: {email}").click()
    await expect(menu_item(page, "Sign out")).to_be_visible()
    await check_accessibility(page)


async def test_the_dialogs_of_the_devices_page(service: Service, page: Page) -> None:
    await open_devices(service, page)
    await require_password(service)
    await button(page, "Sign out 2 other devices").click()
    dialog = page.get_by_role("dialog", name="Sign out 2 other devices?")
    await expect(dialog).to_be_visible()
    await check_accessibility(page)

    await dialog.get_by_role("button", name="Sign out 2 other devices").click()
    dialog = page.get_by_role("dialog", name="Confirm your password")
    await dialog.get_by_label("Password", exact=True).fill("not the password")
    await page.keyboard.press("Enter")
    await expect(dialog).to_contain_text("Incorrect password. Try again.")
    await check_accessibility(page)


async def test_the_error_pages(service: Service, database_proxy: DatabaseProxy, page: Page, visitors: Visitors) -> None:
    await page.goto("/nowhere")
    await expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    await check_accessibility(page)

    await sign_in_by_api(service, page, await create_user(service))
    await database_proxy.stop()
    await page.goto("/devices")
    await expect(page.get_by_role("heading", name="This page could not be loaded")).to_be_visible()
    await check_accessibility(page)
    assert "temporarily unavailable" in visitors.errors.pop()


async def test_the_pages_of_account_links(service: Service, page: Page) -> None:
    _, _, link = await sign_in_as_attacker(service)
    await page.goto("/not-me#token=cut-off")
    await expect(button(page, "Sign out every device")).to_be_visible()
    await check_accessibility(page)
    await button(page, "Sign out every device").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await check_accessibility(page)
    await page.goto(link)
    await button(page, "Sign out every device").click()
    await expect(page.get_by_label("New password", exact=True)).to_be_visible()
    await check_accessibility(page)
    await set_new_password(page, "a different horse entirely")
    await expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    await check_accessibility(page)
    unconfirmed = await service.register()
    await page.goto(await link_in_email(service, unconfirmed.email, "verify-email"))
    await button(page, "Confirm email address").click()
    await expect(page.get_by_label("New password", exact=True)).to_be_visible()
    await check_accessibility(page)
    for path, name in (("/verify-email#token=cut-off", "Confirm email address"), ("/forgot-password", "Send link")):
        await page.goto(path)
        await expect(button(page, name)).to_be_visible()
        await check_accessibility(page)


async def test_notifications_and_the_mailbox(service: Service, page: Page) -> None:
    admin = await create_admin(service)
    await send_emails(service, f"{_LONG[:60]}@example.com")
    await sign_in_by_api(service, page, admin)
    await page.goto("/settings/notifications")
    await page.get_by_role("switch", name="Welcome").click()
    await check_accessibility(page)
    await page.goto("/mailbox")
    first = page.get_by_role("list", name="Emails, newest first").get_by_role("link").first
    await expect(first).to_be_visible()
    await check_accessibility(page)
    await page.set_viewport_size(SCREENS[0])
    await first.click()
    for name in ("HTML", "Text", "Source", "Headers"):
        await tab(page, name).click()
        await check_accessibility(page)


async def test_the_template_list_and_its_dialogs(service: Service, page: Page) -> None:
    admin = await create_admin(service)
    key = "x" * 63
    await compose(service, key)
    await compose(service, "welcome")
    await sign_in_by_api(service, page, admin)
    await page.goto("/settings/email-templates")
    await expect(button(page, f"Delete {key}")).to_be_visible()
    await check_accessibility(page)
    for name in (f"Delete {key}", "New template"):
        await button(page, name).click()
        await check_accessibility(page)
        await page.keyboard.press("Escape")
    await page.get_by_role("searchbox").fill("nothing like it")
    await expect(button(page, "Show all templates")).to_be_visible()
    await check_accessibility(page)

    # The menu, above a page without buttons: axe cannot tell that the menu covers them.
    await page.route("**/v1/settings/email-templates*", lambda route: route.fulfill(status=400))
    await page.reload()
    await expect(button(page, "Try again")).to_be_visible()
    await button(page, "Mail").click()
    await expect(menu_item(page, "Suppressions")).to_be_visible()
    await check_accessibility(page)


async def test_the_email_log_and_its_drawer(service: Service, page: Page) -> None:
    admin = await create_admin(service)
    await send_emails(service, f"{_LONG[:60]}@example.com")
    await sign_in_by_api(service, page, admin)
    await page.goto("/settings/emails")
    await expect(page.get_by_role("table")).to_be_visible()
    await check_accessibility(page)
    await page.get_by_role("link", name=_LONG[:60]).click()
    drawer = page.get_by_role("dialog")
    await expect(drawer.get_by_role("heading", name="Events")).to_be_visible()
    await check_accessibility(page)
    await tab(page, "Text").click()
    await check_accessibility(page)
    await drawer.get_by_role("button", name="Send this email again").click()
    await expect(page.get_by_role("dialog", name="Send this email again?")).to_be_visible()
    await check_accessibility(page)


async def test_the_suppressions_and_their_dialogs(service: Service, page: Page) -> None:
    admin = await create_admin(service)
    email = f"{_LONG[:60]}@example.com".lower()
    await suppress(service, email, "complaint")
    await sign_in_by_api(service, page, admin)
    await page.goto("/settings/suppressions")
    await expect(page.get_by_role("table")).to_be_visible()
    await check_accessibility(page)
    for name in (f"Remove {email}", "Suppress an email address"):
        await button(page, name).click()
        await check_accessibility(page)
        await page.keyboard.press("Escape")


async def test_the_api_keys_and_their_dialogs(service: Service, page: Page) -> None:
    admin = await create_admin(service)
    key = await service.create_api_key(await service.register_admin(), "users:read", name="reports")
    await service.sql.execute("update gatepost.users set disabled_at = now() where email <> $1", admin)
    await sign_in_by_api(service, page, admin)
    await page.goto("/settings/api-keys")
    await expect(page.get_by_text("Suspended")).to_be_visible()
    await check_accessibility(page)
    for name in ("Revoke reports", "Take over reports"):
        await button(page, name).click()
        await check_accessibility(page)
        await page.keyboard.press("Escape")
    await button(page, "Take over reports").click()
    await page.get_by_role("dialog").get_by_role("button", name="Take over reports").click()
    await expect(page.get_by_text("You own reports now")).to_be_visible()
    assert (await key.get("/v1/admin/users")).status_code == 200
