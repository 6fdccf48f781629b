"""The mailbox, where a developer reads the captured emails; and the notifications that a user turns on and off."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.async_api import Locator, Page, expect

from tests.support import SAFARI_ON_IPHONE, Service, running_service
from tests.support.browser.account_links import set_new_password
from tests.support.browser.emails import send_emails, wait_until_sent
from tests.support.browser.pages import Visitors, button, create_admin, create_user, expect_devices, menu_item, tab


def rows(page: Page) -> Locator:
    return page.get_by_role("list", name="Emails, newest first").get_by_role("link")


async def test_a_link_in_an_email_is_followed(service: Service, visitors: Visitors) -> None:
    admin, email = await create_admin(service), await create_user(service)
    await wait_until_sent(service)
    page = await visitors.signed_in(service, admin)
    await button(page, "Mail").click()
    await menu_item(page, "Mailbox").click()
    await expect(page.get_by_text("Select an email to read it here.")).to_be_visible()

    await service.login(email, user_agent=SAFARI_ON_IPHONE)
    await service.http.post("/v1/auth/password/forgot", json={"email": email})
    await wait_until_sent(service)
    await button(page, "Reload").click()
    await rows(page).filter(has_text="reset-password").click()
    link = page.get_by_role("link", name=re.compile("opens a new tab")).first
    target = str(await link.get_attribute("href"))
    await expect(link).to_have_attribute("target", "_blank")
    await tab(page, "Text").click()
    await expect(page.get_by_role("tabpanel").get_by_role("link", name=target)).to_have_attribute("href", target)

    await page.goto("{2}#{4}".format(*urlsplit(target)))
    await set_new_password(page, "a different horse entirely")
    await expect(page.get_by_text("Your password was changed")).to_be_visible()


async def test_the_frame_shows_the_email_and_the_tabs_its_text_source_and_headers(
    service: Service, visitors: Visitors
) -> None:
    admin = await create_admin(service)
    await send_emails(service, "ada@acme.com")
    page = await visitors.signed_in(service, admin, "/mailbox")
    await rows(page).first.click()
    await expect(page.frame_locator("iframe").get_by_role("heading").first).to_be_visible()
    await expect(page.locator("iframe")).to_have_attribute("sandbox", "")
    await expect(page.get_by_role("article")).to_contain_text("ada@acme.com")

    await page.frame_locator("iframe").get_by_role("link").first.click()
    await expect(page.get_by_role("region", name="Links in this email")).to_be_focused()
    await expect(page.frame_locator("iframe").get_by_role("heading").first).to_be_visible()
    assert len(page.context.pages) == 1
    assert "frame-src" in visitors.errors.pop()

    await tab(page, "HTML").press("End")
    await expect(page.get_by_role("tabpanel", name="Headers")).to_contain_text("Message-ID")
    await tab(page, "Headers").press("ArrowLeft")
    await expect(tab(page, "Source")).to_be_focused()
    await expect(page.get_by_role("tabpanel", name="Source")).to_contain_text("MIME-Version: 1.0")
    await page.reload()
    await expect(tab(page, "HTML")).to_have_attribute("aria-selected", "true")


async def test_more_emails_are_shown_on_request(service: Service, visitors: Visitors) -> None:
    admin = await create_admin(service)
    await wait_until_sent(service)
    already = await service.sql.fetchval("select count(*) from gatepost.emails")
    await send_emails(service, "ada@acme.com", 31 - already)
    page = await visitors.signed_in(service, admin, "/mailbox")
    await expect(rows(page)).to_have_count(30)
    await button(page, "Show more").press("Enter")
    await expect(rows(page)).to_have_count(31)
    await expect(rows(page).last).to_be_focused()
    await expect(button(page, "Show more")).to_have_count(0)


async def test_on_a_phone_the_list_and_the_email_are_shown_in_turn(service: Service, visitors: Visitors) -> None:
    admin = await create_admin(service)
    await send_emails(service, "ada@acme.com")
    page = await visitors.signed_in(service, admin, "/mailbox", viewport={"width": 320, "height": 640})
    await rows(page).first.press("Enter")
    await expect(page.get_by_role("heading", level=2)).to_be_focused()
    await expect(rows(page).first).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    await page.get_by_role("link", name="All emails").click()
    await expect(rows(page).first).to_be_focused()
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


async def test_the_mailbox_is_for_admins_only_and_missing_where_email_is_sent(
    database_url: str, service: Service, visitors: Visitors
) -> None:
    page = await visitors.signed_in(service, await create_user(service), "/mailbox")
    await expect(page.get_by_role("alert")).to_have_text("The mailbox can only be seen by admins.")
    sending = {"mail_transport": ["resend"], "resend_api_key": "re_test", "mail_from": "Acme <no-reply@acme.com>"}
    admin = await create_admin(service)
    async with running_service(database_url, **sending) as sending_service:
        page = await visitors.signed_in(sending_service, admin, "/mailbox")
        await expect(page.get_by_role("alert")).to_contain_text("this service sends its email")


async def test_a_user_turns_a_notification_off_and_on(service: Service, visitors: Visitors) -> None:
    email = await create_user(service)
    page = await visitors.signed_in(service, email)
    await expect_devices(page, "Chrome on Windows")
    await button(page, f"Account: {email}").click()
    await menu_item(page, "Notifications").click()
    welcome = page.get_by_role("switch", name="Welcome")
    await expect(welcome).to_be_checked()
    await expect(page.get_by_role("switch", name="New device")).to_have_count(0)
    await expect(page.get_by_role("listitem").filter(has_text="New device")).to_contain_text("Always on")
    async with page.expect_response("**/v1/me/notifications/welcome"):
        await welcome.press("Space")
    await page.reload()
    await expect(welcome).not_to_be_checked()
    await page.get_by_text("Welcome", exact=True).click()
    await expect(welcome).to_be_checked()
