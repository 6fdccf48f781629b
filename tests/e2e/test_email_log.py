"""The email log: finding emails, reading one in the drawer, sending it again and canceling it."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

from tests.support import PASSWORD, Service
from tests.support.browser.emails import schedule_email, send_emails, suppress, wait_until_sent
from tests.support.browser.pages import (
    Visitors,
    button,
    create_admin,
    create_user,
    password_field,
    require_password,
    tab,
)

PAGE = "/settings/emails"


def rows(page: Page) -> Locator:
    return page.get_by_role("table").get_by_role("link")


def drawer(page: Page) -> Locator:
    return page.get_by_role("dialog").filter(has=page.get_by_role("heading", name="Events"))


async def test_filters_are_in_the_url(service: Service, visitors: Visitors) -> None:
    admin = await create_admin(service)
    await send_emails(service, "ada@acme.com")
    await schedule_email(service, "adam@acme.com")
    page = await visitors.signed_in(service, admin, PAGE)
    await page.get_by_role("searchbox").fill("ADA")
    await expect(rows(page)).to_have_text(["adam@acme.com", "ada@acme.com"])
    await page.get_by_label("Status").select_option("Scheduled")
    await expect(rows(page)).to_have_text(["adam@acme.com"])
    await page.get_by_label("Template").select_option("new-device")
    await expect(page.get_by_text("No email matches these filters.")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("searchbox")).to_have_value("ADA")
    await expect(page.get_by_text("No email matches these filters.")).to_be_visible()
    await page.get_by_label("Template").select_option("Any template")
    await expect(page).to_have_url(re.compile(r"\?q=ADA&status=scheduled$"))
    await expect(rows(page)).to_have_count(1)


async def test_an_email_is_read_in_the_drawer_by_keyboard(service: Service, visitors: Visitors) -> None:
    admin = await create_admin(service)
    await send_emails(service, "ada@acme.com")
    page = await visitors.signed_in(service, admin, f"{PAGE}?q=ada")
    await rows(page).first.press("Enter")
    await expect(drawer(page)).to_be_visible()
    await expect(button(page, "Close")).to_be_focused()
    await expect(drawer(page).get_by_role("listitem").first).to_contain_text("Your application")
    await expect(drawer(page)).to_contain_text("Captured in the mailbox")
    await expect(page.frame_locator("iframe").get_by_role("heading").first).to_be_visible()
    await tab(page, "HTML").press("ArrowRight")
    await expect(page.get_by_role("tabpanel")).to_contain_text("https://app.acme.com/login")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(rows(page).first).to_be_focused()
    await expect(page).to_have_url(re.compile(r"\?q=ada$"))
    await page.go_back()
    await expect(drawer(page)).to_be_visible()


async def test_a_url_opens_an_email_and_closing_it_focuses_its_row(service: Service, visitors: Visitors) -> None:
    admin = await create_admin(service)
    await send_emails(service, "ada@acme.com")
    email_id = await service.sql.fetchval("select id from gatepost.emails where recipient = 'ada@acme.com'")
    size = {"width": 320, "height": 640}
    page = await visitors.signed_in(service, admin, f"{PAGE}?email={email_id}", viewport=size)
    await expect(drawer(page)).to_be_visible()
    await drawer(page).evaluate("drawer => Promise.all(drawer.getAnimations().map(animation => animation.finished))")
    box = await drawer(page).bounding_box()
    assert box is not None
    assert (box["x"], box["width"], box["height"]) == (0, 320, 640)
    await expect(rows(page).first).to_be_attached()
    await button(page, "Close").click()
    await expect(page.get_by_role("link", name="ada@acme.com")).to_be_focused()
    await page.goto(f"{PAGE}?email={'0' * 8}-0000-4000-8000-{'0' * 12}")
    await expect(page.get_by_role("dialog")).to_contain_text("This email does not exist, or was deleted.")


async def test_more_emails_are_shown_on_request(service: Service, visitors: Visitors) -> None:
    admin = await create_admin(service)
    await send_emails(service, "ada@acme.com", 31)
    page = await visitors.signed_in(service, admin, f"{PAGE}?q=ada")
    await expect(rows(page)).to_have_count(30)
    await button(page, "Show more").press("Enter")
    await expect(rows(page)).to_have_count(31)
    await expect(rows(page).last).to_be_focused()
    await expect(button(page, "Show more")).to_have_count(0)


async def test_an_email_is_sent_again(service: Service, visitors: Visitors) -> None:
    admin = await create_admin(service)
    await send_emails(service, "ada@acme.com")
    page = await visitors.signed_in(service, admin, f"{PAGE}?q=ada")
    await rows(page).click()
    await require_password(service)
    await button(page, "Send this email again").click()
    dialog = page.get_by_role("dialog", name="Send this email again?")
    await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    await dialog.get_by_role("button", name="Send again").click()
    await password_field(page).fill(PASSWORD)
    await page.keyboard.press("Enter")
    result = page.get_by_role("status").filter(has_text="This email is queued again for ada@acme.com.")
    await expect(result).to_be_focused()
    await button(page, "Show the new email").click()
    await expect(drawer(page).get_by_role("link", name="an earlier email")).to_be_visible()
    # The page was opened before the email was sent, and updates by itself.
    await expect(drawer(page)).to_contain_text("Captured in the mailbox")
    await page.keyboard.press("Escape")
    await expect(rows(page)).to_have_count(2)
    await expect(rows(page).first).to_be_focused()
    assert await service.sql.fetchval("select count(*) from gatepost.emails where resend_of is not null") == 1


async def test_a_suppressed_recipient_leads_to_the_suppression(service: Service, visitors: Visitors) -> None:
    admin = await create_admin(service)
    await send_emails(service, "ada@acme.com")
    await suppress(service, "ada@acme.com", "complaint")
    page = await visitors.signed_in(service, admin, f"{PAGE}?q=ada")
    await rows(page).click()
    await button(page, "Send this email again").click()
    await page.get_by_role("dialog", name="Send this email again?").get_by_role("button", name="Send again").click()
    await page.get_by_role("link", name="Show suppressions").click()
    await expect(button(page, "Remove ada@acme.com")).to_be_visible()
    await expect(page).to_have_url(re.compile(r"/settings/suppressions\?q=ada%40acme\.com$"))


async def test_a_scheduled_email_is_canceled(service: Service, visitors: Visitors) -> None:
    admin = await create_admin(service)
    email_id = await schedule_email(service, "ada@acme.com")
    page = await visitors.signed_in(service, admin, f"{PAGE}?email={email_id}")
    await expect(drawer(page)).to_contain_text("There is no content yet")
    await button(page, "Cancel this email").click()
    dialog = page.get_by_role("dialog", name="Cancel this email?")
    await dialog.get_by_role("button", name="Do not cancel").click()
    await expect(button(page, "Cancel this email")).to_be_focused()
    await page.keyboard.press("Enter")
    await dialog.get_by_role("button", name="Cancel email").click()
    await expect(page.get_by_role("status").filter(has_text="This email was canceled")).to_be_focused()
    await expect(button(page, "Cancel this email")).to_have_count(0)
    await expect(drawer(page).get_by_role("listitem").last).to_contain_text(admin)
    assert await service.sql.fetchval("select status from gatepost.emails where id = $1", email_id) == "canceled"


async def test_the_content_of_a_security_email_is_hidden(service: Service, visitors: Visitors) -> None:
    admin = await create_admin(service)
    reset = '{"reset_url": "https://app.acme.com/reset?token=secret-7", "expires_in": "1 hour"}'
    query = "select gatepost.queue_email('reset-password', 'ada@acme.com', $1)"
    email_id = await service.sql.fetchval(query, reset)
    await wait_until_sent(service)
    page = await visitors.signed_in(service, admin, f"{PAGE}?email={email_id}")
    await expect(drawer(page)).to_contain_text("Its content is never shown")
    await expect(button(page, "Send this email again")).to_have_count(0)
    assert "secret-7" not in await page.content()


async def test_the_log_is_for_admins_only(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await create_user(service), PAGE)
    await expect(page.get_by_role("alert")).to_have_text("The email log can only be seen by admins.")
    await expect(page.get_by_role("searchbox")).to_have_count(0)
