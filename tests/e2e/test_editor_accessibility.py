"""axe on the template editor: every tab and dialog, in both themes, on wide and narrow screens."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.support import Service
from tests.support.browser.axe import SCREENS, check_accessibility
from tests.support.browser.editing import (
    INVOICE,
    code_editor,
    publish,
    save,
    tab,
    type_subject,
    until_ready,
)
from tests.support.browser.pages import Visitors, button, create_admin, menu_item, sign_in_by_api


async def opened(service: Service, visitors: Visitors, axe: str) -> Page:
    """Open the editor with axe."""
    page = await visitors.open(service, None, reduced_motion="reduce")
    await page.context.add_init_script(axe)
    await sign_in_by_api(service, page, await create_admin(service))
    await page.goto(INVOICE)
    await until_ready(page)
    return page


async def test_every_tab(service: Service, visitors: Visitors, axe: str) -> None:
    page = await opened(service, visitors, axe)
    await check_accessibility(page)
    await page.set_viewport_size(SCREENS[0])
    await type_subject(page, "Invoice {{ invoice_numbr }}")
    await expect(page.get_by_role("region", name="Problems")).to_be_visible()
    await check_accessibility(page)
    for name in ("Variables", "Sample data", "Languages"):
        await tab(page, name).click()
        await check_accessibility(page)
    await tab(page, "Edit").click()
    await tab(page, "Text").click()
    await button(page, "Generate it from the HTML").click()
    await check_accessibility(page)


async def test_every_dialog(service: Service, visitors: Visitors, axe: str) -> None:
    page = await opened(service, visitors, axe)
    await type_subject(page, "First")
    await publish(page, 1)
    await type_subject(page, "Second {{ product_name }}")
    await button(page, "Publish…").click()
    await expect(page.locator("dialog[open]")).to_contain_text("Second")
    await check_accessibility(page)
    await page.keyboard.press("Escape")
    await page.set_viewport_size(SCREENS[0])
    await button(page, "Versions").click()
    await button(page, "Compare version 1").click()
    await expect(page.locator("dialog[open]")).to_contain_text("Second")
    await check_accessibility(page)
    await page.keyboard.press("Escape")
    await page.set_viewport_size(SCREENS[0])
    await button(page, "Send a test").click()
    await button(page, "Send test email").click()
    await expect(page.locator("dialog[open]").get_by_role("link")).to_be_visible()
    await check_accessibility(page)
    await page.keyboard.press("Escape")
    for name in ("Add a language…", "Reset to the built-in template…"):
        await button(page, "More").click()
        await check_accessibility(page)
        await menu_item(page, name).click()
        await expect(page.locator("dialog[open]")).to_be_visible()
        await check_accessibility(page)
        await page.keyboard.press("Escape")


async def test_a_conflict_and_the_local_copies(service: Service, visitors: Visitors, axe: str) -> None:
    page = await opened(service, visitors, axe)
    other = await opened(service, visitors, axe)
    await type_subject(page, "Mine")
    await type_subject(other, "Theirs")
    await save(other)
    await page.keyboard.press("Control+s")
    await expect(page.locator("dialog[open]")).to_contain_text("Theirs")
    await check_accessibility(page)
    await button(page, "Decide later").click()
    await expect(page.get_by_role("alert")).to_contain_text(re.compile("not saved yet"))
    await check_accessibility(page)
    await button(page, "Compare and choose").click()
    await button(page, "Merge manually").click()
    await check_accessibility(page)
    await page.set_viewport_size(SCREENS[0])
    await expect(code_editor(page, "Subject")).to_have_text("Mine")
    await page.get_by_role("link", name="Devices").click()
    await expect(page.get_by_role("dialog", name="Leave with unsaved changes?")).to_be_visible()
    await check_accessibility(page)
