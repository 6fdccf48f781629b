"""The code editor: its keys, toolbar, completions and diagnostics."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

from tests.support import Service
from tests.support.browser.pages import Visitors, button, create_user

_TEMPLATE = "/settings/email-templates/welcome"


async def opened(service: Service, visitors: Visitors, html: str, **options: object) -> tuple[Page, Locator]:
    """Open the editor of a template and replace its HTML; the cursor is at the end."""
    email = await create_user(service)
    await service.sql.execute("update gatepost.users set role = 'admin' where email = $1", email)
    page = await visitors.signed_in(service, email, _TEMPLATE, **options)
    editor = page.get_by_role("textbox", name="HTML", exact=True)
    await editor.focus()
    await page.keyboard.press("ControlOrMeta+a")
    await page.keyboard.insert_text(html)
    await expect(editor).to_have_text(html)
    return page, editor


async def escaped(page: Page) -> None:
    """Press Escape to close suggestions, and once more so that Tab leaves the editor."""
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")


def tool(page: Page, name: str) -> Locator:
    return page.get_by_role("toolbar", name="Formatting").get_by_role("button", name=name, exact=True)


def suggestions(page: Page) -> Locator:
    return page.get_by_role("listbox").get_by_role("option")


async def test_the_toolbar_adds_and_removes_formats(service: Service, visitors: Visitors) -> None:
    page, editor = await opened(service, visitors, "<p>Hello</p>")
    await page.keyboard.press("Control+Home")
    for key in ("ArrowRight",) * 3 + ("Shift+ArrowRight",) * 5:
        await page.keyboard.press(key)
    await tool(page, "Bold").click()
    await expect(editor).to_have_text("<p><strong>Hello</strong></p>")
    await expect(editor).to_be_focused()
    await expect(tool(page, "Bold")).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("ControlOrMeta+i")
    await expect(editor).to_have_text("<p><strong><em>Hello</em></strong></p>")
    await page.keyboard.press("ControlOrMeta+b")
    await expect(editor).to_have_text("<p><em>Hello</em></p>")
    await expect(tool(page, "Bold")).to_have_attribute("aria-pressed", "false")
    await page.keyboard.press("ControlOrMeta+z")
    await expect(editor).to_have_text("<p><strong><em>Hello</em></strong></p>")


async def test_the_toolbar_is_one_tab_stop_with_arrow_keys(service: Service, visitors: Visitors) -> None:
    page, editor = await opened(service, visitors, "<p></p>")
    await escaped(page)
    await page.keyboard.press("Shift+Tab")
    await expect(tool(page, "Bold")).to_be_focused()
    await page.keyboard.press("ArrowLeft")
    await expect(tool(page, "Insert variable")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem").first).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(tool(page, "Insert variable")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.type("prod")
    await page.keyboard.press("Enter")
    await expect(editor).to_be_focused()
    await expect(editor).to_have_text("<p></p>{{ product_name }}")


async def test_tab_indents_and_leaves_after_escape(service: Service, visitors: Visitors) -> None:
    page, editor = await opened(service, visitors, "")
    await expect(editor).to_have_accessible_description(re.compile("Press Escape, then Tab"))
    await page.keyboard.press("Tab")
    await expect(editor).to_be_focused()
    await escaped(page)
    await page.keyboard.press("Tab")
    await expect(editor).not_to_be_focused()


async def test_only_the_template_language_is_suggested(service: Service, visitors: Visitors) -> None:
    page, editor = await opened(service, visitors, "")
    await editor.press_sequentially("{{ prod")
    await expect(suggestions(page)).to_have_text([re.compile("^product_name")])
    await page.keyboard.press("Escape")
    await editor.press_sequentially("uct_name | capi")
    await expect(suggestions(page)).to_have_text(["capitalize"])
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+End")
    await editor.press_sequentially("{% ma")
    await expect(suggestions(page)).to_have_count(0)
    await page.keyboard.press("Backspace")
    await page.keyboard.press("Backspace")
    await editor.press_sequentially("endfo")
    await expect(suggestions(page)).to_have_text(["endfor"])


async def test_the_subject_is_one_line(service: Service, visitors: Visitors) -> None:
    page, _ = await opened(service, visitors, "")
    await page.get_by_role("tab", name=re.compile("^Subject")).click()
    subject = page.get_by_role("textbox", name="Subject", exact=True)
    await subject.focus()
    await page.keyboard.press("ControlOrMeta+a")
    await page.keyboard.insert_text("Hello\n  there")
    await page.keyboard.press("Enter")
    await page.keyboard.insert_text("!")
    await expect(subject).to_have_text("Hello there!")
    await page.keyboard.press("Tab")
    await expect(subject).not_to_be_focused()


async def test_an_error_is_underlined(service: Service, visitors: Visitors) -> None:
    page, editor = await opened(service, visitors, "<p>Hello {{ unknown }}</p>")
    mark = editor.locator(".cm-lintRange-error")
    await expect(mark).to_have_text("unknown")
    await mark.hover()
    await expect(page.locator(".cm-diagnostic")).to_contain_text("unknown")
    await editor.focus()
    await page.keyboard.press("ControlOrMeta+a")
    await page.keyboard.insert_text("<p>Hello</p>")
    await expect(mark).to_have_count(0)


async def test_syntax_is_highlighted_and_the_cursor_survives_a_save(service: Service, visitors: Visitors) -> None:
    page, editor = await opened(service, visitors, "<p>Hello {{ product_name }}</p>")
    tag = editor.locator("span", has_text=re.compile("^p$")).first
    plain = await editor.evaluate("(element) => getComputedStyle(element).color")
    assert await tag.evaluate("(element) => getComputedStyle(element).color") != plain
    for _ in range(4):
        await page.keyboard.press("ArrowLeft")
    async with page.expect_response(lambda answer: answer.url.split("?")[0].endswith("/draft")) as saved:
        await page.keyboard.press("ControlOrMeta+s")
    assert (await saved.value).status == 200
    await page.keyboard.insert_text("!")
    await expect(editor).to_have_text("<p>Hello {{ product_name }}!</p>")
    await expect(editor).to_be_focused()


async def test_on_a_phone_the_search_panel_fits(service: Service, visitors: Visitors) -> None:
    page, _ = await opened(service, visitors, "<p>Hello</p>", viewport={"width": 320, "height": 640})
    await page.keyboard.press("ControlOrMeta+f")
    await page.keyboard.type("Hello")
    await expect(page.get_by_role("textbox", name="Find")).to_have_value("Hello")
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    await button(page, "close").click()
    await expect(page.get_by_role("textbox", name="Find")).to_have_count(0)
