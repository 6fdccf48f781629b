"""axe on the template editor: every tab, every dialog, both themes, wide and narrow."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.e2e.editing import INVOICE, publish, ready, save, tab, type_subject, words, writer
from tests.e2e.pages import Visitors, button, sign_in_quietly
from tests.e2e.test_accessibility import _SCREENS, axe, look
from tests.support import Service

__all__ = ["axe"]


async def opened(service: Service, visitors: Visitors, axe: str) -> Page:
    """Open the editor for axe to look at."""
    page = await visitors.open(service, None, reduced_motion="reduce")
    await page.context.add_init_script(axe)
    await sign_in_quietly(service, page, await writer(service))
    await page.goto(INVOICE)
    await ready(page)
    return page


async def test_every_tab(service: Service, visitors: Visitors, axe: str) -> None:
    page = await opened(service, visitors, axe)
    await look(page)
    await page.set_viewport_size(_SCREENS[0])
    await type_subject(page, "Invoice {{ invoice_numbr }}")
    await expect(page.get_by_role("region", name="Problems")).to_be_visible()
    await look(page)
    for name in ("Variables", "Sample data", "Languages"):
        await tab(page, name).click()
        await look(page)
    await tab(page, "Edit").click()
    await tab(page, "Text").click()
    await button(page, "Make it from the HTML").click()
    await look(page)


async def test_every_dialog(service: Service, visitors: Visitors, axe: str) -> None:
    page = await opened(service, visitors, axe)
    await type_subject(page, "First")
    await publish(page, 1)
    await type_subject(page, "Second {{ product_name }}")
    await button(page, "Publish…").click()
    await expect(page.locator("dialog[open]")).to_contain_text("Second")
    await look(page)
    await page.keyboard.press("Escape")
    await page.set_viewport_size(_SCREENS[0])
    await button(page, "Versions").click()
    await button(page, "Compare version 1").click()
    await expect(page.locator("dialog[open]")).to_contain_text("Second")
    await look(page)
    await page.keyboard.press("Escape")
    await page.set_viewport_size(_SCREENS[0])
    await button(page, "Send a test").click()
    await button(page, "Send the test").click()
    await expect(page.locator("dialog[open]").get_by_role("link")).to_be_visible()
    await look(page)
    await page.keyboard.press("Escape")
    for name in ("Add a language…", "Reset to the built-in words…"):
        await button(page, "More").click()
        await look(page)
        await button(page, name).click()
        await expect(page.locator("dialog[open]")).to_be_visible()
        await look(page)
        await page.keyboard.press("Escape")


async def test_a_conflict_and_what_it_leaves(service: Service, visitors: Visitors, axe: str) -> None:
    page = await opened(service, visitors, axe)
    other = await opened(service, visitors, axe)
    await type_subject(page, "Mine")
    await type_subject(other, "Theirs")
    await save(other)
    await page.keyboard.press("Control+s")
    await expect(page.locator("dialog[open]")).to_contain_text("Theirs")
    await look(page)
    await button(page, "Not now").click()
    await expect(page.get_by_role("alert")).to_contain_text(re.compile("not saved yet"))
    await look(page)
    await button(page, "Compare and choose").click()
    await button(page, "Merge by hand").click()
    await look(page)
    await page.set_viewport_size(_SCREENS[0])
    await expect(words(page, "Subject")).to_have_text("Mine")
    await page.get_by_role("link", name="Devices").click()
    await expect(page.get_by_role("dialog", name="Leave with unsaved changes?")).to_be_visible()
    await look(page)
