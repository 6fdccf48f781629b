"""Steps in the template editor that several tests share."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

from tests.support import Service
from tests.support.browser.pages import Visitors, button, create_admin

INVOICE = "/settings/email-templates/new-invoice"


async def open_editor(service: Service, visitors: Visitors, path: str = INVOICE, **options: object) -> Page:
    """Open the editor as a new admin."""
    page = await visitors.signed_in(service, await create_admin(service), path, **options)
    await until_ready(page)
    return page


async def until_ready(page: Page) -> None:
    """Wait until the code editors are loaded."""
    await expect(page.get_by_role("tab", name="HTML")).to_be_visible()
    await expect(page.locator("[role=textbox]").last).to_be_attached()


def tab(page: Page, name: str) -> Locator:
    return page.get_by_role("tab", name=re.compile(f"^{name}"))


def code_editor(page: Page, part: str) -> Locator:
    """The code editor of the part that is shown."""
    return page.get_by_role("textbox", name=part, exact=True)


def save_status(page: Page) -> Locator:
    """What the header says about the last save."""
    return page.locator("main header").get_by_role("status")


async def type_subject(page: Page, text: str) -> None:
    """Replace the subject."""
    await tab(page, "Subject").click()
    await code_editor(page, "Subject").fill(text)
    await expect(page.get_by_text("Unsaved changes", exact=True)).to_be_visible()


async def save(page: Page) -> None:
    """Save, and wait until it is saved."""
    await page.keyboard.press("Control+s")
    await expect(save_status(page)).to_contain_text("Saved.")


async def publish(page: Page, version: int) -> None:
    """Publish what is in the editor."""
    await button(page, "Publish…").click()
    await page.get_by_role("dialog").get_by_role("button", name="Publish", exact=True).click()
    await expect(page.get_by_text(f"Published version {version},")).to_be_visible()


async def draft_subject(service: Service, key: str = "new-invoice", locale: str = "en") -> str | None:
    """Return the subject of the saved draft."""
    query = "select draft ->> 'subject' from gatepost.email_template_locales where key = $1 and locale = $2"
    subject: str | None = await service.sql.fetchval(query, key, locale)
    return subject
