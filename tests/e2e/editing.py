"""What people do in the template editor, in their words."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

from tests.e2e.pages import Visitors, button, someone
from tests.support import Service

INVOICE = "/settings/email-templates/new-invoice"


async def editor(service: Service, visitors: Visitors, path: str = INVOICE, **options: object) -> Page:
    """Open the editor as somebody who may change templates."""
    page = await visitors.signed_in(service, await writer(service), path, **options)
    await ready(page)
    return page


async def writer(service: Service) -> str:
    """Make somebody who may change templates; return their address."""
    email = await someone(service)
    await service.sql.execute("update gatepost.users set role = 'admin' where email = $1", email)
    return email


async def ready(page: Page) -> None:
    """Wait until there are editors to type into."""
    await expect(page.get_by_role("tab", name="HTML")).to_be_visible()
    await expect(page.locator("[role=textbox]").last).to_be_attached()


def tab(page: Page, name: str) -> Locator:
    return page.get_by_role("tab", name=re.compile(f"^{name}"))


def words(page: Page, part: str) -> Locator:
    """What is typed into, of a part that is shown."""
    return page.get_by_role("textbox", name=part, exact=True)


def told(page: Page) -> Locator:
    """What the header says about saving."""
    return page.locator("main header").get_by_role("status")


async def type_subject(page: Page, text: str) -> None:
    """Replace the subject."""
    await tab(page, "Subject").click()
    await words(page, "Subject").fill(text)
    await expect(page.get_by_text("Unsaved changes", exact=True)).to_be_visible()


async def save(page: Page) -> None:
    """Save, and know that it is saved."""
    await page.keyboard.press("Control+s")
    await expect(told(page)).to_contain_text("Saved.")


async def publish(page: Page, version: int) -> None:
    """Publish what is in the editor."""
    await button(page, "Publish…").click()
    await page.get_by_role("dialog").get_by_role("button", name="Publish", exact=True).click()
    await expect(page.get_by_text(f"Published version {version},")).to_be_visible()


async def drafted(service: Service, key: str = "new-invoice", locale: str = "en") -> str | None:
    """Return the subject of the draft that the service has."""
    query = "select draft ->> 'subject' from gatepost.email_template_locales where key = $1 and locale = $2"
    subject: str | None = await service.sql.fetchval(query, key, locale)
    return subject
