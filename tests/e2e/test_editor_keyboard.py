"""The template editor without a mouse."""

from __future__ import annotations

import asyncio

from playwright.async_api import Page, expect

from tests.e2e.editing import drafted, editor, tab, told, words
from tests.e2e.pages import Visitors, button, toast
from tests.support import Service


async def go_to(page: Page, role: str, name: str, *, back: bool = False) -> None:
    """Press Tab until something of that role and name has the focus."""
    wanted = page.get_by_role(role, name=name, exact=True)  # type: ignore[arg-type]
    for _ in range(60):
        if await wanted.count() and await wanted.evaluate("it => it.getRootNode().activeElement === it"):
            return
        await page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"Tab never comes to the {role} {name!r}")


async def test_words_are_written_completed_saved_published_and_restored(service: Service, visitors: Visitors) -> None:
    page = await editor(service, visitors)
    await go_to(page, "tab", "HTML")
    await page.keyboard.press("Home")
    await expect(tab(page, "Subject")).to_be_focused()
    await go_to(page, "textbox", "Subject")
    await page.keyboard.press("Control+a")
    await page.keyboard.type("For {{ client_n")
    await expect(page.get_by_role("option", name="client_name")).to_be_visible()
    # For a moment after it appears, a list takes no answer.
    async with asyncio.timeout(15):
        while "client_name" not in await words(page, "Subject").inner_text():
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
    await expect(words(page, "Subject")).to_be_focused()
    await expect(words(page, "Subject")).to_have_text("For {{ client_name }} {{ invoice_number }}")
    await page.keyboard.press("Control+s")
    await expect(told(page)).to_have_text("Saved.")
    assert await drafted(service) == "For {{ client_name }} {{ invoice_number }}"

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
    await expect(toast(page, "Version 1 is the draft now")).to_be_visible()
    await expect(button(page, "Versions")).to_be_focused()


async def test_the_menu_closes_on_escape(service: Service, visitors: Visitors) -> None:
    page = await editor(service, visitors)
    await go_to(page, "button", "More")
    await page.keyboard.press("Enter")
    await expect(button(page, "Add a language…")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(button(page, "Add a language…")).to_be_hidden()
    await expect(button(page, "More")).to_be_focused()
    await page.keyboard.press("Enter")
    await go_to(page, "button", "Add a language…")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Escape")
    await expect(button(page, "More")).to_be_focused()
