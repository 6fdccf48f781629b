"""The suppressions: addresses that nothing is sent to, put on the list and taken off it."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

from tests.e2e.pages import Visitors, button, password_field, someone, toast
from tests.e2e.test_mailbox import admin, write
from tests.support import PASSWORD, Service

PAGE = "/settings/suppressions"


async def suppress(service: Service, email: str, reason: str = "bounce", times: int = 0) -> None:
    """Have an address on the list, because of the last message to it; or as many, numbered, because of none."""
    query = """
        insert into gatepost.email_suppressions (email, reason, note, email_id, created_by)
        select $1 || coalesce(number::text, ''), $2, 'The mailbox does not exist.',
            (select id from gatepost.emails where recipient = $1 order by created_at desc limit 1), 'provider'
        from unnest(case when $3 = 0 then array[null::integer] else array(select generate_series(1, $3)) end) number
    """
    await service.sql.execute(query, email, reason, times)


def addresses(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("^Take off "))


async def test_an_address_is_suppressed_and_taken_off_again(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await admin(service), PAGE)
    await expect(page.get_by_text("Nobody is on the list: mail goes to everyone.")).to_be_visible()
    for _ in range(2):
        await button(page, "Suppress an address").click()
        await page.get_by_label("E-mail address").fill("Ada@acme.com")
        await page.get_by_label("Reason").fill("asked us to")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("asked us to", exact=True)).to_be_visible()
    email = page.get_by_label("E-mail address")
    await expect(email).to_have_accessible_description("This address is on the list already.")
    await expect(email).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(button(page, "Suppress an address")).to_be_focused()

    await write(service, "ada@acme.com")
    assert await service.sql.fetchval("select status from gatepost.emails where template = 'welcome'") == "suppressed"
    await service.sql.execute("update gatepost.sessions set authenticated_at = now() - interval '20 minutes'")
    await button(page, "Take off ada@acme.com").click()
    await button(page, "Take it off the list").click()
    await password_field(page).fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(toast(page, "Mail to ada@acme.com goes out again")).to_be_visible()
    await expect(page.get_by_role("heading", level=1)).to_be_focused()
    assert await service.sql.fetchval("select count(*) from gatepost.email_suppressions") == 0


async def test_a_complaint_is_warned_of_and_its_message_shown(service: Service, visitors: Visitors) -> None:
    boss = await admin(service)
    await write(service, "ada@acme.com")
    await suppress(service, "ada@acme.com", "complaint")
    page = await visitors.signed_in(service, boss, PAGE)
    await button(page, "Take off ada@acme.com").click()
    dialog = page.get_by_role("dialog", name="Write to ada@acme.com again?")
    await expect(dialog.get_by_role("alert")).to_contain_text("only if they asked for it")
    await expect(button(page, "Keep it on the list")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(button(page, "Take off ada@acme.com")).to_be_focused()
    await page.get_by_role("link", name="The message to ada@acme.com").click()
    await expect(page.get_by_role("dialog").get_by_role("heading", name="What happened")).to_be_visible()


async def test_addresses_are_found_and_paged(service: Service, visitors: Visitors) -> None:
    boss = await admin(service)
    await suppress(service, "ada@acme.com")
    await suppress(service, "bob@acme.com", times=31)
    page = await visitors.signed_in(service, boss, PAGE)
    await page.get_by_role("searchbox").fill("BOB")
    await expect(addresses(page)).to_have_count(30)
    await expect(page).to_have_url(re.compile(r"\?q=BOB$"))
    await button(page, "Show more").press("Enter")
    await expect(addresses(page)).to_have_count(31)
    await expect(addresses(page).last).to_be_focused()
    await page.goto(f"{PAGE}?q=ada")
    await expect(addresses(page)).to_have_count(1)


async def test_the_suppressions_are_for_administrators(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await someone(service), PAGE)
    await expect(page.get_by_role("alert")).to_have_text("The suppressions can be seen by administrators only.")
    await expect(button(page, "Suppress an address")).to_have_count(0)
