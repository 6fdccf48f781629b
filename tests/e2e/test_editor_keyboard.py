"""The template editor without a mouse."""

from __future__ import annotations

import asyncio

from playwright.async_api import Page, expect

from tests.support import Service
from tests.support.browser.editing import code_editor, draft_subject, open_editor, save_status, tab
from tests.support.browser.pages import Visitors, button, menu_item, toast


async def go_to(page: Page, role: str, name: str, *, back: bool = False) -> None:
    """Press Tab until the element with that role and name has the focus."""
    wanted = page.get_by_role(role, name=name, exact=True)  # type: ignore[arg-type]
    for _ in range(60):
        if await wanted.count() and await wanted.evaluate("it => it.getRootNode().activeElement === it"):
            return
        await page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"Tab does not reach the {role} {name!r}")


async def test_content_is_typed_completed_saved_published_and_restored(service: Service, visitors: Visitors) -> None:
    page = await open_editor(service, visitors)
    await go_to(page, "tab", "HTML")
    await page.keyboard.press("Home")
    await expect(tab(page, "Subject")).to_be_focused()
    await go_to(page, "textbox", "Subject")
    await page.keyboard.press("Control+a")
    await page.keyboard.type("For {{ client_n")
    await expect(page.get_by_role("option", name="client_name")).to_be_visible()
    # The list ignores keys for a moment after it appears.
    async with asyncio.timeout(15):
        while "client_name" not in await code_editor(page, "Subject").inner_text():
            await page.keyboard.press("Enter")
            await asyncio.sleep(0.02)
    await page.keyboard.press("Control+a")
    await page.keyboard.insert_text("For {{ client_name }} ")
    await page.keyboard.press("Control+End")

    await go_to(page, "tab", "Preview")
    await page.keyboard.press("ArrowRight")
    await expect(tab(page, "Variables")).to_be_focused()
    await go_to(page, "button", "Insert invoice_number")
    await page.keyboard.press("Enter")
    await expect(code_editor(page, "Subject")).to_be_focused()
    await expect(code_editor(page, "Subject")).to_have_text("For {{ client_name }} {{ invoice_number }}")
    await page.keyboard.press("Control+s")
    await expect(save_status(page)).to_have_text("Saved.")
    assert await draft_subject(service) == "For {{ client_name }} {{ invoice_number }}"

    await go_to(page, "button", "Publish…", back=True)
    await page.keyboard.press("Enter")
    await go_to(page, "button", "Publish")
    await page.keyboard.press("Enter")
    await expect(toast(page, "Published version 1")).to_be_visible()
    await expect(button(page, "Publish…")).to_be_focused()

    await go_to(page, "button", "Versions", back=True)
    await page.keyboard.press("Enter")
    await go_to(page, "button", "Compare version 1")
    await page.keyboard.press("Enter")
    await go_to(page, "button", "Restore version 1")
    await page.keyboard.press("Enter")
    await expect(toast(page, "Restored version 1 as the draft")).to_be_visible()
    await expect(button(page, "Versions")).to_be_focused()


async def test_the_menu_is_operated_with_the_keyboard(service: Service, visitors: Visitors) -> None:
    page = await open_editor(service, visitors)
    await go_to(page, "button", "More")
    await page.keyboard.press("Enter")
    await expect(menu_item(page, "Add a language…")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(menu_item(page, "Secrets in its emails…")).to_be_focused()
    await page.keyboard.press("End")
    await expect(menu_item(page, "Reset to the built-in template…")).to_be_focused()
    await page.keyboard.press("Home")
    await expect(menu_item(page, "Add a language…")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(menu_item(page, "Add a language…")).to_be_hidden()
    await expect(button(page, "More")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(menu_item(page, "Add a language…")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Add a language")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(button(page, "More")).to_be_focused()
