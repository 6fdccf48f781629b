"""The mailbox: what the service would have sent, as a developer follows it; and which mail a person wants."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import urlsplit

from playwright.async_api import Locator, Page, expect

from tests.e2e.pages import Visitors, button, expect_rows, menu_item, someone
from tests.support import SAFARI_ON_IPHONE, Service, running_service


async def admin(service: Service) -> str:
    """Make somebody who may see all mail; return their address."""
    email = await someone(service)
    await service.sql.execute("update gatepost.users set role = 'admin' where email = $1", email)
    return email


async def until_sent(service: Service) -> None:
    """Wait until no mail is on its way."""
    query = "select count(*) from gatepost.emails where status in ('queued', 'sending')"
    async with asyncio.timeout(15):
        while await service.sql.fetchval(query):
            await asyncio.sleep(0.02)


async def write(service: Service, to: str, times: int = 1) -> None:
    """Have mail in the mailbox."""
    query = """select gatepost.queue_email('welcome', $1, '{"login_url": "https://app.acme.com/login"}')
        from generate_series(1, $2)"""
    await service.sql.execute(query, to, times)
    await until_sent(service)


def mails(page: Page) -> Locator:
    return page.get_by_role("list", name="Mail, the newest first").get_by_role("link")


def tab(page: Page, name: str) -> Locator:
    return page.get_by_role("tab", name=name, exact=True)


async def test_a_link_is_followed_from_the_mailbox(service: Service, visitors: Visitors) -> None:
    boss, email = await admin(service), await someone(service)
    await until_sent(service)
    page = await visitors.signed_in(service, boss)
    await button(page, "Mail").click()
    await menu_item(page, "Mailbox").click()
    await expect(page.get_by_text("Choose a mail to read it here.")).to_be_visible()

    await service.login(email, user_agent=SAFARI_ON_IPHONE)
    await service.http.post("/v1/auth/password/forgot", json={"email": email})
    await until_sent(service)
    await button(page, "Reload").click()
    await mails(page).filter(has_text="reset-password").click()
    link = page.get_by_role("link", name=re.compile("opens a new tab")).first
    target = str(await link.get_attribute("href"))
    await expect(link).to_have_attribute("target", "_blank")
    await tab(page, "Text").click()
    await expect(page.get_by_role("tabpanel").get_by_role("link", name=target)).to_have_attribute("href", target)

    await page.goto("{2}#{4}".format(*urlsplit(target)))
    await page.get_by_label("New password", exact=True).fill("a different horse entirely")
    await button(page, "Set new password").click()
    await expect(page.get_by_text("Your password is changed.")).to_be_visible()


async def test_the_frame_shows_the_mail_and_the_tabs_what_is_behind_it(service: Service, visitors: Visitors) -> None:
    boss = await admin(service)
    await write(service, "ada@acme.com")
    page = await visitors.signed_in(service, boss, "/mailbox")
    await mails(page).first.click()
    await expect(page.frame_locator("iframe").get_by_role("heading").first).to_be_visible()
    await expect(page.locator("iframe")).to_have_attribute("sandbox", "")
    await expect(page.get_by_role("article")).to_contain_text("ada@acme.com")

    await page.frame_locator("iframe").get_by_role("link").first.click()
    await expect(page.get_by_role("region", name="Links in this mail")).to_be_focused()
    await expect(page.frame_locator("iframe").get_by_role("heading").first).to_be_visible()
    assert len(page.context.pages) == 1
    assert "frame-src" in visitors.complaints.pop()

    await tab(page, "HTML").press("End")
    await expect(page.get_by_role("tabpanel", name="Headers")).to_contain_text("Message-ID")
    await tab(page, "Headers").press("ArrowLeft")
    await expect(tab(page, "Source")).to_be_focused()
    await expect(page.get_by_role("tabpanel", name="Source")).to_contain_text("MIME-Version: 1.0")
    await page.reload()
    await expect(tab(page, "HTML")).to_have_attribute("aria-selected", "true")


async def test_more_is_shown_when_it_is_asked_for(service: Service, visitors: Visitors) -> None:
    boss = await admin(service)
    await until_sent(service)
    already = await service.sql.fetchval("select count(*) from gatepost.emails")
    await write(service, "ada@acme.com", 31 - already)
    page = await visitors.signed_in(service, boss, "/mailbox")
    await expect(mails(page)).to_have_count(30)
    await button(page, "Show more").press("Enter")
    await expect(mails(page)).to_have_count(31)
    await expect(mails(page).last).to_be_focused()
    await expect(button(page, "Show more")).to_have_count(0)


async def test_on_a_phone_the_list_and_the_mail_take_turns(service: Service, visitors: Visitors) -> None:
    boss = await admin(service)
    await write(service, "ada@acme.com")
    page = await visitors.signed_in(service, boss, "/mailbox", viewport={"width": 320, "height": 640})
    await mails(page).first.press("Enter")
    await expect(page.get_by_role("heading", level=2)).to_be_focused()
    await expect(mails(page).first).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    await page.get_by_role("link", name="All mail").click()
    await expect(mails(page).first).to_be_focused()
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


async def test_there_is_no_mailbox_for_everybody_nor_where_mail_is_sent(
    database_url: str, service: Service, visitors: Visitors
) -> None:
    alert = "The mailbox is for administrators."
    page = await visitors.signed_in(service, await someone(service), "/mailbox")
    await expect(page.get_by_role("alert")).to_have_text(alert)
    sends = {"mail_transport": ["resend"], "resend_api_key": "re_test", "mail_from": "Acme <no-reply@acme.com>"}
    boss = await admin(service)
    async with running_service(database_url, **sends) as sending:
        page = await visitors.signed_in(sending, boss, "/mailbox")
        await expect(page.get_by_role("alert")).to_contain_text("This service really sends its mail")


async def test_a_person_turns_off_what_they_do_not_want(service: Service, visitors: Visitors) -> None:
    email = await someone(service)
    page = await visitors.signed_in(service, email)
    await expect_rows(page, "Chrome on Windows")
    await button(page, f"Account: {email}").click()
    await menu_item(page, "Notifications").click()
    welcome = page.get_by_role("switch", name="Welcome")
    await expect(welcome).to_be_checked()
    await expect(page.get_by_role("switch", name="New device")).to_have_count(0)
    await expect(page.get_by_role("listitem").filter(has_text="New device")).to_contain_text("Always on")
    async with page.expect_response("**/v1/me/notices/welcome"):
        await welcome.press("Space")
    await page.reload()
    await expect(welcome).not_to_be_checked()
    await page.get_by_text("Welcome", exact=True).click()
    await expect(welcome).to_be_checked()
