"""The e-mail log: what was sent, what became of it, and what can be done about it."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

from tests.e2e.pages import Visitors, button, password_field, someone
from tests.e2e.test_mailbox import admin, tab, until_sent, write
from tests.support import PASSWORD, Service

PAGE = "/settings/emails"


def messages(page: Page) -> Locator:
    return page.get_by_role("table").get_by_role("link")


def drawer(page: Page) -> Locator:
    return page.get_by_role("dialog").filter(has=page.get_by_role("heading", name="What happened"))


async def scheduled(service: Service, to: str) -> str:
    """Queue a message that is to go out tomorrow, and return its id."""
    query = """select gatepost.queue_email(
        'welcome', $1, '{"login_url": "https://app.acme.com/login"}', p_send_at => now() + interval '1 day')"""
    return str(await service.sql.fetchval(query, to))


async def test_messages_are_found_and_the_address_keeps_how(service: Service, visitors: Visitors) -> None:
    boss = await admin(service)
    await write(service, "ada@acme.com")
    await scheduled(service, "adam@acme.com")
    page = await visitors.signed_in(service, boss, PAGE)
    await page.get_by_role("searchbox").fill("ADA")
    await expect(messages(page)).to_have_text(["adam@acme.com", "ada@acme.com"])
    await page.get_by_label("Status").select_option("Scheduled")
    await expect(messages(page)).to_have_text(["adam@acme.com"])
    await page.get_by_label("Template").select_option("new-device")
    await expect(page.get_by_text("No message is like that.")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("searchbox")).to_have_value("ADA")
    await expect(page.get_by_text("No message is like that.")).to_be_visible()
    await page.get_by_label("Template").select_option("Any template")
    await expect(page).to_have_url(re.compile(r"\?q=ADA&status=scheduled$"))
    await expect(messages(page)).to_have_count(1)


async def test_a_message_is_read_in_the_drawer_by_keyboard(service: Service, visitors: Visitors) -> None:
    boss = await admin(service)
    await write(service, "ada@acme.com")
    page = await visitors.signed_in(service, boss, f"{PAGE}?q=ada")
    await messages(page).first.press("Enter")
    await expect(drawer(page)).to_be_visible()
    await expect(button(page, "Close")).to_be_focused()
    await expect(drawer(page).get_by_role("listitem").first).to_contain_text("Your application")
    await expect(drawer(page)).to_contain_text("Handed to the mailbox")
    await expect(page.frame_locator("iframe").get_by_role("heading").first).to_be_visible()
    await tab(page, "HTML").press("ArrowRight")
    await expect(page.get_by_role("tabpanel")).to_contain_text("https://app.acme.com/login")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(messages(page).first).to_be_focused()
    await expect(page).to_have_url(re.compile(r"\?q=ada$"))
    await page.go_back()
    await expect(drawer(page)).to_be_visible()


async def test_a_link_leads_to_a_message_and_its_end_to_its_row(service: Service, visitors: Visitors) -> None:
    boss = await admin(service)
    await write(service, "ada@acme.com")
    email_id = await service.sql.fetchval("select id from gatepost.emails where recipient = 'ada@acme.com'")
    size = {"width": 320, "height": 640}
    page = await visitors.signed_in(service, boss, f"{PAGE}?email={email_id}", viewport=size)
    await expect(drawer(page)).to_be_visible()
    await drawer(page).evaluate("drawer => Promise.all(drawer.getAnimations().map(moving => moving.finished))")
    box = await drawer(page).bounding_box()
    assert box is not None
    assert (box["x"], box["width"], box["height"]) == (0, 320, 640)
    await expect(messages(page).first).to_be_attached()
    await button(page, "Close").click()
    await expect(page.get_by_role("link", name="ada@acme.com")).to_be_focused()
    await page.goto(f"{PAGE}?email={'0' * 8}-0000-4000-8000-{'0' * 12}")
    await expect(page.get_by_role("dialog")).to_contain_text("There is no such message, or none any more.")


async def test_more_is_shown_when_it_is_asked_for(service: Service, visitors: Visitors) -> None:
    boss = await admin(service)
    await write(service, "ada@acme.com", 31)
    page = await visitors.signed_in(service, boss, f"{PAGE}?q=ada")
    await expect(messages(page)).to_have_count(30)
    await button(page, "Show more").press("Enter")
    await expect(messages(page)).to_have_count(31)
    await expect(messages(page).last).to_be_focused()
    await expect(button(page, "Show more")).to_have_count(0)


async def test_a_message_is_sent_again(service: Service, visitors: Visitors) -> None:
    boss = await admin(service)
    await write(service, "ada@acme.com")
    page = await visitors.signed_in(service, boss, f"{PAGE}?q=ada")
    await messages(page).click()
    await service.sql.execute("update gatepost.sessions set authenticated_at = now() - interval '20 minutes'")
    await button(page, "Send again").click()
    question = page.get_by_role("dialog", name="Send this message again?")
    await expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    await question.get_by_role("button", name="Send again").click()
    await password_field(page).fill(PASSWORD)
    await page.keyboard.press("Enter")
    outcome = page.get_by_role("status").filter(has_text="It is queued again for ada@acme.com.")
    await expect(outcome).to_be_focused()
    await button(page, "Show the new message").click()
    await expect(drawer(page).get_by_role("link", name="an earlier message")).to_be_visible()
    # It was on its way when it was shown first; the page looks again by itself.
    await expect(drawer(page)).to_contain_text("Handed to the mailbox")
    await page.keyboard.press("Escape")
    await expect(messages(page)).to_have_count(2)
    await expect(messages(page).first).to_be_focused()
    assert await service.sql.fetchval("select count(*) from gatepost.emails where resend_of is not null") == 1


async def test_a_suppressed_recipient_is_told_of_and_the_way_there(service: Service, visitors: Visitors) -> None:
    boss = await admin(service)
    await write(service, "ada@acme.com")
    suppress = "insert into gatepost.email_suppressions (email, reason, created_by) values ($1, 'complaint', 'x')"
    await service.sql.execute(suppress, "ada@acme.com")
    page = await visitors.signed_in(service, boss, f"{PAGE}?q=ada")
    await messages(page).click()
    await button(page, "Send again").click()
    await page.get_by_role("dialog", name="Send this message again?").get_by_role("button", name="Send again").click()
    await page.get_by_role("link", name="Look at the suppressions").click()
    await expect(button(page, "Take off ada@acme.com")).to_be_visible()
    await expect(page).to_have_url(re.compile(r"/settings/suppressions\?q=ada%40acme\.com$"))


async def test_a_scheduled_message_is_taken_back(service: Service, visitors: Visitors) -> None:
    boss = await admin(service)
    email_id = await scheduled(service, "ada@acme.com")
    page = await visitors.signed_in(service, boss, f"{PAGE}?email={email_id}")
    await expect(drawer(page)).to_contain_text("There is nothing to show yet")
    await button(page, "Cancel this message").click()
    question = page.get_by_role("dialog", name="Cancel this message?")
    await question.get_by_role("button", name="Keep it").click()
    await expect(button(page, "Cancel this message")).to_be_focused()
    await page.keyboard.press("Enter")
    await question.get_by_role("button", name="Cancel the message").click()
    await expect(page.get_by_role("status").filter(has_text="This message is taken back.")).to_be_focused()
    await expect(button(page, "Cancel this message")).to_have_count(0)
    await expect(drawer(page).get_by_role("listitem").last).to_contain_text(boss)
    assert await service.sql.fetchval("select status from gatepost.emails where id = $1", email_id) == "canceled"


async def test_security_mail_is_not_shown(service: Service, visitors: Visitors) -> None:
    boss = await admin(service)
    reset = '{"reset_url": "https://app.acme.com/reset?token=secret-7", "expires_in": "1 hour"}'
    query = "select gatepost.queue_email('reset-password', 'ada@acme.com', $1)"
    email_id = await service.sql.fetchval(query, reset)
    await until_sent(service)
    page = await visitors.signed_in(service, boss, f"{PAGE}?email={email_id}")
    await expect(drawer(page)).to_contain_text("What it says is never shown here")
    await expect(button(page, "Send again")).to_have_count(0)
    assert "secret-7" not in await page.content()


async def test_the_log_is_for_administrators(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await someone(service), PAGE)
    await expect(page.get_by_role("alert")).to_have_text("The e-mail log can be seen by administrators only.")
    await expect(page.get_by_role("searchbox")).to_have_count(0)
