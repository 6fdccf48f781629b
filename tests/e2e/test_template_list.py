"""The list of templates: admins create, reset and delete them."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

from gatepost import package_files
from tests.support import PASSWORD, Service
from tests.support.browser.pages import Visitors, button, create_admin, create_user, password_field, toast
from tests.support.browser.template_list import compose

PAGE = "/settings/email-templates"

BUILT_IN = len(list(package_files.emails().glob("*/template.toml")))


def row(page: Page, key: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_text(key, exact=True))


def names(page: Page) -> Locator:
    return page.get_by_role("table").get_by_role("link")


async def test_a_new_template_opens_in_the_editor(service: Service, visitors: Visitors) -> None:
    boss = await create_admin(service)
    page = await visitors.signed_in(service, boss)
    await button(page, "Mail").press("Enter")
    await page.get_by_role("menuitem", name="Templates").press("Enter")
    await expect(names(page)).to_have_count(BUILT_IN)
    await button(page, "New template").press("Enter")
    name = page.get_by_label("Name", exact=True)
    await expect(name).to_be_focused()
    await name.press("Enter")
    key = page.get_by_label("Key", exact=True)
    await expect(key).to_have_accessible_description("This cannot be empty.")
    await expect(name).to_be_focused()
    await name.fill("Welcome")
    # The key follows the name, so its error is gone.
    await expect(key).to_have_accessible_description(
        "Your application sends the template by this key. It cannot be changed later."
    )
    await name.press("Enter")
    await expect(key).to_have_accessible_description("This key is already in use. Choose another one.")
    await expect(key).to_be_focused()
    await key.fill("greeting")
    await key.press("Enter")
    await expect(page).to_have_url(re.compile(f"{PAGE}/greeting"))

    await page.goto(PAGE)
    await expect(row(page, "greeting")).to_contain_text("Draft only")
    await expect(row(page, "greeting")).to_contain_text(boss)
    answer = await page.request.get(f"/v1{PAGE}/greeting")
    template = await answer.json()
    assert template["draft"]["diagnostics"] == []
    assert [each["name"] for each in template["variables"]] == ["name", "link"]


async def test_a_changed_template_is_reset_and_a_custom_one_deleted(service: Service, visitors: Visitors) -> None:
    await compose(service, "welcome")
    await compose(service, "zebra")
    page = await visitors.signed_in(service, await create_admin(service), PAGE)
    await expect(row(page, "welcome")).to_contain_text("The command line")
    await button(page, "Reset welcome").click()
    dialog = page.get_by_role("dialog", name="Reset “Welcome”?")
    await expect(dialog).to_contain_text("Your changes in English")
    await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(button(page, "Reset welcome")).to_be_focused()
    await page.keyboard.press("Enter")
    await dialog.get_by_role("button", name="Reset welcome").click()
    await expect(toast(page, "“Welcome” was reset to the built-in template")).to_be_visible()
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


async def test_the_filter_is_in_the_url(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await create_admin(service), PAGE)
    await page.get_by_role("searchbox").fill("DEVICE")
    await expect(names(page)).to_have_text(["New device", "Device signed out"])
    await expect(page).to_have_url(re.compile(r"\?q=DEVICE$"))
    await page.reload()
    await expect(names(page)).to_have_count(2)
    await page.get_by_role("searchbox").fill("no such name")
    await button(page, "Show all templates").click()
    await expect(names(page)).to_have_count(BUILT_IN)


async def test_the_templates_are_for_admins(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await create_user(service), PAGE)
    await expect(page.get_by_role("alert")).to_have_text("The templates can only be seen by admins.")
    await expect(button(page, "New template")).to_have_count(0)
    await expect(button(page, "Mail")).to_have_count(0)
