"""The list of templates: made, reset and deleted by an administrator, and nobody else."""

from __future__ import annotations

import json
import re

from playwright.async_api import Locator, Page, expect

from tests.e2e.pages import Visitors, button, password_field, someone, toast
from tests.e2e.test_mailbox import admin
from tests.support import PASSWORD, Service

PAGE = "/settings/email-templates"
_DRAFT = json.dumps({"subject": "Hello", "preheader": "", "html": "<p>Hello.</p>", "text": None, "variables": []})


async def compose(service: Service, key: str) -> None:
    """Have a draft of a template, one's own where none of that key is built in."""
    builtin = await service.sql.fetchval("select exists (select from gatepost.builtin_templates where key = $1)", key)
    await service.sql.execute(
        "insert into gatepost.email_templates (key, builtin, name, description) values ($1, $2, $1, 'What for.')",
        key,
        builtin,
    )
    await service.sql.execute(
        "select gatepost.save_template_draft($1, 'en', null, $2, '[]', 'template.drafted', 'shell', null)", key, _DRAFT
    )


def row(page: Page, key: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_text(key, exact=True))


def names(page: Page) -> Locator:
    return page.get_by_role("table").get_by_role("link")


async def test_a_template_is_made_and_opens(service: Service, visitors: Visitors) -> None:
    boss = await admin(service)
    page = await visitors.signed_in(service, boss)
    await button(page, "Mail").press("Enter")
    await page.get_by_role("menuitem", name="Templates").press("Enter")
    await expect(names(page)).to_have_count(7)
    await button(page, "New template").press("Enter")
    name = page.get_by_label("Name", exact=True)
    await expect(name).to_be_focused()
    await name.press("Enter")
    key = page.get_by_label("Key", exact=True)
    await expect(key).to_have_accessible_description("This cannot be empty.")
    await expect(name).to_be_focused()
    await name.fill("Welcome")
    # The key follows the name, and so does what is said of it.
    await expect(key).to_have_accessible_description("What your application calls it by; it stays.")
    await name.press("Enter")
    await expect(key).to_have_accessible_description("There is a template with this key already.")
    await expect(key).to_be_focused()
    await key.fill("greeting")
    await key.press("Enter")
    await expect(page).to_have_url(re.compile(f"{PAGE}/greeting"))

    await page.goto(PAGE)
    await expect(row(page, "greeting")).to_contain_text("Draft only")
    await expect(row(page, "greeting")).to_contain_text(boss)
    answer = await page.request.get(f"/v1{PAGE}/greeting")
    words = await answer.json()
    assert words["draft"]["diagnostics"] == []
    assert [each["name"] for each in words["variables"]] == ["name", "link"]


async def test_a_changed_one_is_reset_and_ones_own_deleted(service: Service, visitors: Visitors) -> None:
    await compose(service, "welcome")
    await compose(service, "zebra")
    page = await visitors.signed_in(service, await admin(service), PAGE)
    await expect(row(page, "welcome")).to_contain_text("The shell")
    await button(page, "Reset welcome").click()
    dialog = page.get_by_role("dialog", name="Reset Welcome?")
    await expect(dialog).to_contain_text("Your own words in English")
    await expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(button(page, "Reset welcome")).to_be_focused()
    await page.keyboard.press("Enter")
    await dialog.get_by_role("button", name="Reset welcome").click()
    await expect(toast(page, "Reset Welcome")).to_be_visible()
    await expect(button(page, "Reset welcome")).to_have_count(0)
    await expect(row(page, "welcome").get_by_role("link")).to_be_focused()

    await service.sql.execute("update gatepost.sessions set authenticated_at = now() - interval '20 minutes'")
    await button(page, "Delete zebra").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete zebra").click()
    await password_field(page).fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(row(page, "zebra")).to_have_count(0)
    await expect(row(page, "welcome").get_by_role("link")).to_be_focused()
    drafts = "select count(*) from gatepost.email_template_locales where draft is not null"
    assert await service.sql.fetchval(drafts) == 0


async def test_what_is_searched_for_is_in_the_address(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await admin(service), PAGE)
    await page.get_by_role("searchbox").fill("DEVICE")
    await expect(names(page)).to_have_text(["New device", "Device signed out"])
    await expect(page).to_have_url(re.compile(r"\?q=DEVICE$"))
    await page.reload()
    await expect(names(page)).to_have_count(2)
    await page.get_by_role("searchbox").fill("nothing like it")
    await button(page, "Show all templates").click()
    await expect(names(page)).to_have_count(7)


async def test_the_templates_are_for_administrators(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await someone(service), PAGE)
    await expect(page.get_by_role("alert")).to_have_text("The templates can be seen by administrators only.")
    await expect(button(page, "New template")).to_have_count(0)
    await expect(button(page, "Mail")).to_have_count(0)
