"""Suppressions: adding, removing and finding suppressed email addresses."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

from tests.support import PASSWORD, Service
from tests.support.browser.emails import send_emails, suppress, suppress_many
from tests.support.browser.pages import (
    Visitors,
    button,
    create_admin,
    create_user,
    password_field,
    require_password,
    toast,
)

PAGE = "/settings/suppressions"


def rows(page: Page) -> Locator:
    """The button of each row, which has the email address in its name."""
    return page.get_by_role("button", name=re.compile("^Remove .+@"))


async def test_an_email_address_is_suppressed_and_the_suppression_removed(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await create_admin(service), PAGE)
    await expect(page.get_by_text("No email address is suppressed.")).to_be_visible()
    email = page.get_by_label("Email address", exact=True)
    for _ in range(2):
        await button(page, "Suppress an email address").click()
        await email.fill("Ada@acme.com")
        await page.get_by_label("Reason").fill("asked us to")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("asked us to", exact=True)).to_be_visible()
    await expect(email).to_have_accessible_description("This email address is already suppressed.")
    await expect(email).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(button(page, "Suppress an email address")).to_be_focused()

    await send_emails(service, "ada@acme.com")
    assert await service.sql.fetchval("select status from gatepost.emails where template = 'welcome'") == "suppressed"
    await require_password(service)
    await button(page, "Remove ada@acme.com").click()
    await button(page, "Remove suppression").click()
    await password_field(page).fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(toast(page, "Removed the suppression of ada@acme.com")).to_be_visible()
    await expect(page.get_by_role("heading", level=1)).to_be_focused()
    assert await service.sql.fetchval("select count(*) from gatepost.email_suppressions") == 0


async def test_removing_a_complaint_shows_a_warning_and_its_email_can_be_opened(
    service: Service, visitors: Visitors
) -> None:
    admin = await create_admin(service)
    await send_emails(service, "ada@acme.com")
    await suppress(service, "ada@acme.com", "complaint")
    page = await visitors.signed_in(service, admin, PAGE)
    await button(page, "Remove ada@acme.com").click()
    dialog = page.get_by_role("dialog", name="Send email to ada@acme.com again?")
    await expect(dialog.get_by_role("alert")).to_contain_text("only if they asked for it")
    await expect(button(page, "Cancel")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(button(page, "Remove ada@acme.com")).to_be_focused()
    await page.get_by_role("link", name="Show the email to ada@acme.com").click()
    await expect(page.get_by_role("dialog").get_by_role("heading", name="Events")).to_be_visible()


async def test_suppressions_are_searched_and_paged(service: Service, visitors: Visitors) -> None:
    admin = await create_admin(service)
    await suppress(service, "ada@acme.com")
    await suppress_many(service, "bob@acme.com", 31)
    page = await visitors.signed_in(service, admin, PAGE)
    await page.get_by_role("searchbox").fill("BOB")
    await expect(rows(page)).to_have_count(30)
    await expect(page).to_have_url(re.compile(r"\?q=BOB$"))
    await button(page, "Show more").press("Enter")
    await expect(rows(page)).to_have_count(31)
    await expect(rows(page).last).to_be_focused()
    await page.goto(f"{PAGE}?q=ada")
    await expect(rows(page)).to_have_count(1)


async def test_suppressions_are_for_admins_only(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await create_user(service), PAGE)
    await expect(page.get_by_role("alert")).to_have_text("The suppressions can only be seen by admins.")
    await expect(button(page, "Suppress an email address")).to_have_count(0)
